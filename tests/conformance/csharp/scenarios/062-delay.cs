// SPDX-License-Identifier: MIT
// 062-delay
using System;
using System.Threading;
using System.Threading.Tasks;

static class S062
{
    static void Body()
    {
        Trace.Log("Delay(0): " + Task.Delay(0).Status);
        Trace.Log("Delay(0) with a cancelled token: " + Task.Delay(0, new CancellationToken(true)).Status);
        Trace.Log("Delay(-2): " + Err.Of(() => Task.Delay(-2)));
        var cts = new CancellationTokenSource();
        Task d = Task.Delay(Timeout.Infinite, cts.Token);
        Trace.Log("infinite: " + d.Status);
        cts.Cancel();
        Trace.Log("cancelled: " + d.Status);
        Task a = Task.Delay(30);
        Task b = Task.Delay(20000);
        Harness.Finish(a, "a");
        Trace.Log("short: " + a.Status + ", long: " + b.Status);
        var after = new CancellationTokenSource(20);
        var fired = new Gate("fired");
        after.Token.Register(() => { Trace.Log("CancelAfter fired"); fired.Open(); });
        fired.Wait();
        var never = new CancellationTokenSource();
        never.CancelAfter(400);
        never.CancelAfter(Timeout.Infinite);
        Thread.Sleep(600);
        Trace.Log("CancelAfter taken back: " + never.IsCancellationRequested);
    }

    static int Main() { return Harness.Run(Body); }
}
