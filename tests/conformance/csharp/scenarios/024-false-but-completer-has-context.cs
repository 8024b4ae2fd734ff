// SPDX-License-Identifier: MIT
// 024-false-but-completer-has-context
// ConfigureAwait(false) does not mean "run inline": when the completing thread has a context
// (or runs under a custom scheduler) the continuation is queued to the pool.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S024
{
    static async Task WaitAsync(string name, Task source, Gate after)
    {
        await source.ConfigureAwait(false);
        if (Who.Label == "pool") after.Wait();
        Trace.Log(name + ": resumed, context=" + Who.Context + " scheduler=" + Who.Scheduler);
    }

    static void Body()
    {
        var s1 = new TaskCompletionSource<int>();
        var g1 = new Gate("g1");
        Task t1 = WaitAsync("completed on ui", s1.Task, g1);
        UiThread ui = UiThread.Start();
        ui.Run("handler", () => { s1.SetResult(1); Trace.Log("after SetResult"); g1.Open(); });
        Harness.Finish(t1, "t1");

        var s2 = new TaskCompletionSource<int>();
        var g2 = new Gate("g2");
        Task t2 = WaitAsync("completed on a scheduler", s2.Task, g2);
        var sched = new ThreadScheduler("sched");
        Task.Factory.StartNew(() => { s2.SetResult(1); Trace.Log("after SetResult"); g2.Open(); },
            CancellationToken.None, TaskCreationOptions.None, sched);
        Harness.Finish(t2, "t2");

        var s3 = new TaskCompletionSource<int>();
        var g3 = new Gate("g3");
        Task t3 = WaitAsync("completed on a plain thread", s3.Task, g3);
        Worker.Run("worker", () => { s3.SetResult(1); Trace.Log("after SetResult"); g3.Open(); });
        Harness.Finish(t3, "t3");
    }

    static int Main() { return Harness.Run(Body); }
}
