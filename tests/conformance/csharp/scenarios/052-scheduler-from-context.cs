// SPDX-License-Identifier: MIT
// 052-scheduler-from-context
// FromCurrentSynchronizationContext posts every task; Wait inside the same context inlines.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S052
{
    static void Body()
    {
        Trace.Log("without a context: " + Err.Of(() => TaskScheduler.FromCurrentSynchronizationContext()));
        UiThread ui = UiThread.Start();
        TaskScheduler sched = null;
        ui.Run("make", () => sched = TaskScheduler.FromCurrentSynchronizationContext());
        Trace.Log("concurrency level " + sched.MaximumConcurrencyLevel);
        Task t = null;
        Worker.Run("worker", () =>
        {
            t = Task.Factory.StartNew(() => Trace.Log("task: context=" + Who.Context + ", own scheduler: " + (TaskScheduler.Current == sched)),
                CancellationToken.None, TaskCreationOptions.None, sched);
        });
        Harness.Finish(t, "t");
        ui.Run("waits for its own", () =>
        {
            Task u = Task.Factory.StartNew(() => Trace.Log("inlined"), CancellationToken.None, TaskCreationOptions.None, sched);
            u.Wait();
            Trace.Log("no deadlock, pending=" + ui.Context.Pending);
        });
        ui.Drain();
        Task c = null;
        ui.Run("continuation", () =>
        {
            c = Task.CompletedTask.ContinueWith(_ => Trace.Log("continuation: context=" + Who.Context),
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, sched);
            Trace.Log("returned " + c.Status);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
