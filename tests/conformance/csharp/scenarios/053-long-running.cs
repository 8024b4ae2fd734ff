// SPDX-License-Identifier: MIT
// 053-long-running
// LongRunning takes a thread of its own; only up to the first await of an async delegate.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S053
{
    static async Task AsyncBody(Gate g)
    {
        Trace.Log("async: start");
        await Task.Yield();
        g.Wait();
        Trace.Log("async: after yield");
    }

    static void Body()
    {
        int n = Pool.Clamp();
        var release = new Gate("release");
        Pool.Occupy(n, release);                          // the pool has no thread left
        Task t = Task.Factory.StartNew(() => Trace.Log("runs, pool thread: " + Thread.CurrentThread.IsThreadPoolThread
            + ", background: " + Thread.CurrentThread.IsBackground + ", scheduler=" + Who.Scheduler),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Harness.Finish(t, "t");
        var g = new Gate("g");
        Task<Task> u = Task.Factory.StartNew(() => AsyncBody(g), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Harness.Finish(u, "u");
        Trace.Log("inner: " + u.Result.Status);
        release.Open();
        g.Open();
        Harness.Finish(u.Result, "inner");
    }

    static int Main() { return Harness.Run(Body); }
}
