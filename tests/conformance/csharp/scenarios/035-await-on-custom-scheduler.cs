// SPDX-License-Identifier: MIT
// 035-await-on-custom-scheduler
// await inside a task of a custom scheduler resumes through that scheduler.  Completed from a
// pool thread, the scheduler is first asked to run it inline; from a plain thread it is queued.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S035
{
    static async Task WaitAsync(Task source)
    {
        Trace.Log("before, scheduler=" + Who.Scheduler);
        await source;
        Trace.Log("after, scheduler=" + Who.Scheduler);
    }

    static void Try(ManualScheduler sched, bool fromPool)
    {
        var source = new TaskCompletionSource<int>();
        Task<Task> outer = Task.Factory.StartNew(() => WaitAsync(source.Task), CancellationToken.None, TaskCreationOptions.None, sched);
        sched.RunAll();
        if (fromPool) Harness.Finish(Task.Run(() => source.SetResult(1)), "set");
        else Worker.Run("worker", () => source.SetResult(1));
        Trace.Log("pending=" + sched.Pending);
        sched.RunAll();
        Trace.Log("inner is " + outer.Result.Status);
    }

    static void Body()
    {
        var sched = new ManualScheduler("sched");
        Try(sched, false);
        Try(sched, true);
        sched.AllowInline = true;
        Try(sched, true);
    }

    static int Main() { return Harness.Run(Body); }
}
