// SPDX-License-Identifier: MIT
// 058-cancel-callback-errors
// Errors of callbacks: collected into an aggregate by default; with throwOnFirstException the
// first one leaves Cancel at once and the remaining callbacks are skipped for good.
using System;
using System.Threading;

static class S058
{
    static CancellationTokenSource Make()
    {
        var cts = new CancellationTokenSource();
        cts.Token.Register(() => Trace.Log("callback 1"));
        cts.Token.Register(() => { Trace.Log("callback 2"); throw new TestError("2"); });
        cts.Token.Register(() => Trace.Log("callback 3"));
        cts.Token.Register(() => { Trace.Log("callback 4"); throw new TestError("4"); });
        return cts;
    }

    static void Body()
    {
        CancellationTokenSource a = Make();
        Trace.Log("Cancel(): " + Err.Of(() => a.Cancel()) + ", requested: " + a.IsCancellationRequested);
        CancellationTokenSource b = Make();
        Trace.Log("Cancel(true): " + Err.Of(() => b.Cancel(true)) + ", requested: " + b.IsCancellationRequested);
        Trace.Log("again: " + Err.Of(() => b.Cancel()));
    }

    static int Main() { return Harness.Run(Body); }
}
