// SPDX-License-Identifier: MIT
// 076-pool-queue-order
// One pool thread: its own local queue is served last in first out and before the global
// queue, which is first in first out.  PreferFairness and Task.Yield use the global queue.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S076
{
    static async Task YieldAsync()
    {
        await Task.Yield();
        Trace.Log("global 3 (yield)");
    }

    static void Body()
    {
        int n = Pool.Clamp();
        var release = new Gate("release");
        Pool.Occupy(n - 1, release);
        var last = new Gate("last");
        TaskFactory f = Task.Factory;
        Pool.Queue(() =>
        {
            f.StartNew(() => Trace.Log("global 1 (fair task)"), CancellationToken.None, TaskCreationOptions.PreferFairness, TaskScheduler.Default);
            f.StartNew(() => Trace.Log("local 1"), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
            Pool.Queue(() => Trace.Log("global 2 (work item)"));
            Task.Run(() => Trace.Log("local 2"));
            YieldAsync().GetHashCode();
            f.StartNew(() =>
            {
                Trace.Log("local 3, starts local 4");
                f.StartNew(() => Trace.Log("local 4"), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
            }, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
            Pool.Queue(() => { Trace.Log("global 4"); last.Open(); });
            Trace.Log("first item ends");
        });
        last.Wait();
        release.Open();
    }

    static int Main() { return Harness.Run(Body); }
}
