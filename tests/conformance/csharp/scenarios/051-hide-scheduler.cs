// SPDX-License-Identifier: MIT
// 051-hide-scheduler
// HideScheduler: the task runs on the scheduler, but its body does not see it as current, so
// neither StartNew nor await targets it.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S051
{
    static async Task WaitAsync(Task t)
    {
        await t;
        Trace.Log("await: resumed, scheduler=" + Who.Scheduler);
    }

    static void Body()
    {
        var sched = new ManualScheduler("sched");
        var source = new TaskCompletionSource<int>();
        Task nested = null, waiting = null;
        Task.Factory.StartNew(() =>
        {
            Trace.Log("task: scheduler=" + Who.Scheduler);
            nested = Task.Factory.StartNew(() => Trace.Log("nested: scheduler=" + Who.Scheduler));
            Harness.Finish(nested, "nested");
            waiting = WaitAsync(source.Task);
        }, CancellationToken.None, TaskCreationOptions.HideScheduler, sched);
        sched.RunOne();
        Trace.Log("pending=" + sched.Pending);
        Worker.Run("worker", () => source.SetResult(1));
        Harness.Finish(waiting, "waiting");
        Trace.Log("pending=" + sched.Pending);
    }

    static int Main() { return Harness.Run(Body); }
}
