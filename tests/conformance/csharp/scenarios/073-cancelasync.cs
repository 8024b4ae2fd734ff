// SPDX-License-Identifier: MIT
// 073-cancelasync
// CancelAsync sets the state at once and runs the callbacks on the pool.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S073
{
    static void Body()
    {
        var cts = new CancellationTokenSource();
        var returned = new Gate("returned");
        cts.Token.Register(() => Trace.Log("callback 1"));
        cts.Token.Register(() => { returned.Wait(); Trace.Log("callback 2"); throw new TestError("2"); });
        Task t = cts.CancelAsync();
        Trace.Log("returned, requested: " + cts.IsCancellationRequested);
        Task again = cts.CancelAsync();
        Trace.Log("again: " + again.Status);
        returned.Open();
        Harness.Finish(t, "t");
        Trace.Log(Harness.Describe(t));
        var empty = new CancellationTokenSource();
        Trace.Log("without callbacks: " + empty.CancelAsync().Status);
        var reset = new CancellationTokenSource();
        reset.Token.Register(() => Trace.Log("must not run"));
        Trace.Log("TryReset: " + reset.TryReset());
        reset.Token.Register(() => Trace.Log("registered after the reset"));
        reset.Cancel();
        Trace.Log("TryReset of a cancelled one: " + reset.TryReset());
    }

    static int Main() { return Harness.Run(Body); }
}
