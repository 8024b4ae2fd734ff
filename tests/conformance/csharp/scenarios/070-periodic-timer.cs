// SPDX-License-Identifier: MIT
// 070-periodic-timer
using System;
using System.Threading;
using System.Threading.Tasks;

static class S070
{
    static async Task LoopAsync(PeriodicTimer timer)
    {
        int n = 0;
        while (await timer.WaitForNextTickAsync())
        {
            n++;
            Trace.Log("tick " + n + ", context=" + Who.Context);
            if (n == 3) timer.Dispose();
        }
        Trace.Log("loop ended");
    }

    static void Body()
    {
        Trace.Log("period zero: " + Err.Of(() => new PeriodicTimer(TimeSpan.Zero)));
        UiThread ui = UiThread.Start();
        ui.Context.LogPosts = false;
        Task t = null;
        ui.Run("loop", () => t = LoopAsync(new PeriodicTimer(TimeSpan.FromMilliseconds(40))));
        Harness.Finish(t, "loop");

        var slow = new PeriodicTimer(TimeSpan.FromMilliseconds(1000));
        Thread.Sleep(2500);                                     // two ticks pass
        ValueTask<bool> a = slow.WaitForNextTickAsync();
        Trace.Log("missed ticks are one tick, at once: " + a.IsCompletedSuccessfully + " " + a.Result);
        ValueTask<bool> b = slow.WaitForNextTickAsync();
        Trace.Log("the next is not ready: " + b.IsCompleted);
        Trace.Log("a second wait at the same time: " + Err.Of(() => slow.WaitForNextTickAsync()));
        slow.Dispose();
        Trace.Log("Dispose ends the wait with " + b.AsTask().Result);
        Trace.Log("after Dispose: " + slow.WaitForNextTickAsync().AsTask().Result);

        var longer = new PeriodicTimer(TimeSpan.FromSeconds(100));
        var cts = new CancellationTokenSource();
        Task<bool> c = longer.WaitForNextTickAsync(cts.Token).AsTask();
        cts.Cancel();
        Harness.Finish(c, "c");
        Trace.Log("cancelled wait: " + c.Status);
        Task<bool> d = longer.WaitForNextTickAsync().AsTask();
        Trace.Log("the timer goes on: " + d.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
