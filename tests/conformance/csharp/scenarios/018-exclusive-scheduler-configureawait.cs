// SPDX-License-Identifier: MIT
// 018-exclusive-scheduler-configureawait
// ConfigureAwait(false) also drops the captured scheduler.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S018
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        int v = await s_source.Task.ConfigureAwait(false);
        Trace.Log("get: after await, scheduler=" + Who.Scheduler);
        return v;
    }

    static void Body()
    {
        var pair = new ConcurrentExclusiveSchedulerPair();
        var blocking = new Gate("blocking");
        Task t = Task.Factory.StartNew(() =>
        {
            Task<int> g = GetAsync();
            Trace.Log("task: blocking");
            blocking.Open();
            Trace.Log("task: got " + g.Result + ", own scheduler: " + (TaskScheduler.Current == pair.ExclusiveScheduler));
        }, CancellationToken.None, TaskCreationOptions.None, pair.ExclusiveScheduler);
        blocking.Wait();
        Worker.Run("worker", () => s_source.SetResult(42));
        Harness.FinishOrDeadlock(t, "exclusive task");
        Trace.Log(t.Status.ToString());
    }

    static int Main() { return Harness.Run(Body); }
}
