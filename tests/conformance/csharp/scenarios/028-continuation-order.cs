// SPDX-License-Identifier: MIT
// 028-continuation-order
// On completion the asynchronous ContinueWith continuations are queued first, in order; then
// the synchronous ones run in order, and with them the await continuation.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S028
{
    static async Task WaitAsync(Task t)
    {
        await t;
        Trace.Log("await");
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        var sched = new ManualScheduler("sched");
        Task s = source.Task;
        s.ContinueWith(_ => Trace.Log("sync 1"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        s.ContinueWith(_ => Trace.Log("async 1"), CancellationToken.None, TaskContinuationOptions.None, sched);
        Task w = WaitAsync(s);
        s.ContinueWith(_ => Trace.Log("sync 2"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        s.ContinueWith(_ => Trace.Log("async 2"), CancellationToken.None, TaskContinuationOptions.None, sched);
        Worker.Run("worker", () => { source.SetResult(1); Trace.Log("after SetResult"); });
        Trace.Log("queued " + sched.Pending);
        sched.RunAll();
        Harness.Finish(w, "await");
    }

    static int Main() { return Harness.Run(Body); }
}
