// SPDX-License-Identifier: MIT
// 078-asynchronous-source-on-its-context
// RunContinuationsAsynchronously forbids inlining also when the completing code already runs
// in the captured context, or under the captured scheduler: it posts, or queues.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S078
{
    static async Task WaitAsync(Task t)
    {
        await t;
        Trace.Log("resumed, context=" + Who.Context + " scheduler=" + Who.Scheduler);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task t = null;
        ui.Run("start", () => t = WaitAsync(source.Task));
        ui.Run("complete", () => { source.SetResult(1); Trace.Log("after SetResult, " + t.Status); });
        Harness.Finish(t, "t");

        var sched = new ManualScheduler("sched") { AllowInline = true };
        var source2 = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Task> outer = Task.Factory.StartNew(() => WaitAsync(source2.Task), CancellationToken.None, TaskCreationOptions.None, sched);
        sched.RunAll();
        Task.Factory.StartNew(() => { source2.SetResult(1); Trace.Log("after SetResult, " + outer.Result.Status); },
            CancellationToken.None, TaskCreationOptions.None, sched).GetHashCode();
        sched.RunAll();
        Trace.Log("at last " + outer.Result.Status);

        var source3 = new TaskCompletionSource<int>();
        outer = Task.Factory.StartNew(() => WaitAsync(source3.Task), CancellationToken.None, TaskCreationOptions.None, sched);
        sched.RunAll();
        Task.Factory.StartNew(() => { source3.SetResult(1); Trace.Log("after SetResult, " + outer.Result.Status); },
            CancellationToken.None, TaskCreationOptions.None, sched).GetHashCode();
        sched.RunAll();
    }

    static int Main() { return Harness.Run(Body); }
}
