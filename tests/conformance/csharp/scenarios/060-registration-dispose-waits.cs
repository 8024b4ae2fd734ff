// SPDX-License-Identifier: MIT
// 060-registration-dispose-waits
// Disposing a registration waits for its callback when that runs on another thread; from
// inside the callback it returns at once.  Unregister never waits.
using System;
using System.Threading;

static class S060
{
    static void Body()
    {
        var cts = new CancellationTokenSource();
        var inside = new Gate("inside");
        var proceed = new Gate("proceed");
        CancellationTokenRegistration self = default(CancellationTokenRegistration);
        CancellationTokenRegistration reg = cts.Token.Register(() =>
        {
            Trace.Log("callback: in");
            inside.Open();
            proceed.Wait();
            Trace.Log("callback: out");
        });
        self = cts.Token.Register(() => { self.Dispose(); Trace.Log("disposed itself"); });
        Thread c = Worker.Start("canceller", () => cts.Cancel());
        inside.Wait();
        Trace.Log("Unregister: " + reg.Unregister());
        var disposed = new Gate("disposed");
        Worker.Start("disposer", () => { reg.Dispose(); Trace.Log("disposed"); disposed.Open(); });
        Trace.Log("Dispose returned while the callback runs: " + disposed.Wait(200));
        proceed.Open();
        disposed.Wait();
        c.Join();
    }

    static int Main() { return Harness.Run(Body); }
}
