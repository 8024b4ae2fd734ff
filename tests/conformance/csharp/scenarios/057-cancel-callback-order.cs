// SPDX-License-Identifier: MIT
// 057-cancel-callback-order
// Callbacks run synchronously inside Cancel, the last registered first; an unregistered one not
// at all, even if it is unregistered by another callback during the cancellation.
using System;
using System.Threading;

static class S057
{
    static void Body()
    {
        var cts = new CancellationTokenSource();
        CancellationTokenRegistration r4 = default(CancellationTokenRegistration);
        cts.Token.Register(() => Trace.Log("1"));
        cts.Token.Register(s => Trace.Log("2, state " + s), "x");
        CancellationTokenRegistration r3 = cts.Token.Register(() => Trace.Log("3 must not run"));
        r4 = cts.Token.Register(() => Trace.Log("4 must not run"));
        cts.Token.Register(() => { Trace.Log("5, disposes 4"); r4.Dispose(); });
        cts.Token.Register(() => Trace.Log("6, requested: " + cts.IsCancellationRequested));
        r3.Dispose();
        Worker.Run("worker", () =>
        {
            Trace.Log("cancelling");
            cts.Cancel();
            Trace.Log("cancelled");
            cts.Cancel();
            Trace.Log("a second Cancel does nothing");
        });
        CancellationTokenRegistration late = cts.Token.Register(() => Trace.Log("late, runs in Register"));
        Trace.Log("registered late");
        late.Dispose();
        Trace.Log("ThrowIfCancellationRequested: " + Err.Of(() => cts.Token.ThrowIfCancellationRequested()));
        Trace.Log("default token: " + CancellationToken.None.CanBeCanceled + " " + CancellationToken.None.IsCancellationRequested);
        CancellationToken.None.Register(() => Trace.Log("never"));
    }

    static int Main() { return Harness.Run(Body); }
}
