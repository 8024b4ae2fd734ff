// SPDX-License-Identifier: MIT
// 059-cancel-linked
using System;
using System.Threading;
using System.Threading.Tasks;

static class S059
{
    static void Body()
    {
        var a = new CancellationTokenSource();
        var b = new CancellationTokenSource();
        CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(a.Token, b.Token);
        a.Token.Register(() => Trace.Log("a, registered after linking"));
        linked.Token.Register(() => Trace.Log("linked"));
        Trace.Log("cancelling b");
        b.Cancel();
        Trace.Log("linked: " + linked.IsCancellationRequested + ", a: " + a.IsCancellationRequested);

        CancellationTokenSource l2 = CancellationTokenSource.CreateLinkedTokenSource(a.Token);
        l2.Cancel();
        Trace.Log("the parent is not cancelled by its child: " + a.IsCancellationRequested);
        CancellationTokenSource l3 = CancellationTokenSource.CreateLinkedTokenSource(a.Token);
        l3.Token.Register(() => Trace.Log("l3"));
        l3.Dispose();
        CancellationTokenSource l4 = CancellationTokenSource.CreateLinkedTokenSource(a.Token);
        l4.Token.Register(() => Trace.Log("l4"));
        Trace.Log("cancelling a");
        a.Cancel();
        Trace.Log("disposed linked source was left alone");
        CancellationTokenSource l5 = CancellationTokenSource.CreateLinkedTokenSource(a.Token);
        Trace.Log("linked to a cancelled one: " + l5.IsCancellationRequested);

        a.Dispose();
        Trace.Log("after Dispose, requested: " + a.IsCancellationRequested + ", Token: " + Err.Of(() => a.Token.GetHashCode())
            + ", Cancel: " + Err.Of(() => a.Cancel()) + ", CancelAfter: " + Err.Of(() => a.CancelAfter(1)));
    }

    static int Main() { return Harness.Run(Body); }
}
