// SPDX-License-Identifier: MIT
// 031-yield
// Task.Yield always suspends, and targets the current context, else the current scheduler,
// else the pool.  It cannot be configured.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S031
{
    static async Task YieldAsync(string name, Gate after)
    {
        Trace.Log(name + ": before");
        await Task.Yield();
        if (after != null) after.Wait();
        Trace.Log(name + ": after, context=" + Who.Context + " scheduler=" + Who.Scheduler);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        Task t = null;
        ui.Run("ui", () => { t = YieldAsync("on ui", null); Trace.Log("on ui: returned"); });
        Harness.Finish(t, "ui");

        var after = new Gate("after");
        t = YieldAsync("on main", after);
        Trace.Log("on main: returned");
        after.Open();
        Harness.Finish(t, "main");

        var sched = new ManualScheduler("sched");
        Task<Task> outer = Task.Factory.StartNew(() => YieldAsync("on sched", null), CancellationToken.None, TaskCreationOptions.None, sched);
        sched.RunOne();
        Trace.Log("pending=" + sched.Pending + ", inner is " + outer.Result.Status);
        sched.RunOne();
        Trace.Log("inner is " + outer.Result.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
