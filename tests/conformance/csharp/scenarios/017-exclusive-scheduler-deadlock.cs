// SPDX-License-Identifier: MIT
// 017-exclusive-scheduler-deadlock
// await captures TaskScheduler.Current when there is no context: blocking inside an exclusive
// scheduler keeps the continuation out of it.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S017
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        int v = await s_source.Task;
        Trace.Log("get: after await");
        return v;
    }

    static void Body()
    {
        var pair = new ConcurrentExclusiveSchedulerPair();
        var blocking = new Gate("blocking");
        Task t = Task.Factory.StartNew(() =>
        {
            Trace.Log("task: start, own scheduler: " + (TaskScheduler.Current == pair.ExclusiveScheduler));
            Task<int> g = GetAsync();
            Trace.Log("task: blocking");
            blocking.Open();
            Trace.Log("task: got " + g.Result);
        }, CancellationToken.None, TaskCreationOptions.None, pair.ExclusiveScheduler);
        blocking.Wait();
        Worker.Run("worker", () => { Trace.Log("completing the source"); s_source.SetResult(42); });
        Harness.FinishOrDeadlock(t, "exclusive task");
        Trace.Log(t.Status.ToString());
    }

    static int Main() { return Harness.Run(Body); }
}
