// SPDX-License-Identifier: MIT
// 036-context-wins-over-scheduler
// When both a context and a custom scheduler are current, await captures the context only.
// After resuming there, the scheduler is no longer current.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S036
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task WaitAsync()
    {
        Trace.Log("before, context=" + Who.Context + " scheduler=" + Who.Scheduler);
        await s_source.Task;
        Trace.Log("after, context=" + Who.Context + " scheduler=" + Who.Scheduler);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        var sched = new ManualScheduler("sched");
        Task<Task> outer = Task.Factory.StartNew(() => WaitAsync(), CancellationToken.None, TaskCreationOptions.None, sched);
        ui.Run("handler", () => sched.RunAll());      // the task runs on ui, under sched
        Worker.Run("worker", () => s_source.SetResult(1));
        Harness.Finish(outer.Result, "inner");
        Trace.Log("pending=" + sched.Pending);
    }

    static int Main() { return Harness.Run(Body); }
}
