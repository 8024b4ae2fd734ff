// SPDX-License-Identifier: MIT
// 066-exclusive-and-concurrent
// The scheduler pair: exclusive tasks run alone and before waiting concurrent ones; after
// Complete no task is accepted; Completion follows when all is done.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S066
{
    static void Body()
    {
        var pair = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, 1);
        var ex = new TaskFactory(pair.ExclusiveScheduler);
        var con = new TaskFactory(pair.ConcurrentScheduler);
        Trace.Log("levels: exclusive " + pair.ExclusiveScheduler.MaximumConcurrencyLevel + ", concurrent " + pair.ConcurrentScheduler.MaximumConcurrencyLevel);
        var started = new Gate("started");
        var go = new Gate("go");
        Task a = con.StartNew(() => { Trace.Log("concurrent 1"); started.Open(); go.Wait(); });
        started.Wait();
        Task b = con.StartNew(() => Trace.Log("concurrent 2"));
        Task c = ex.StartNew(() => Trace.Log("exclusive 1"));
        Task d = ex.StartNew(() => Trace.Log("exclusive 2"));
        Trace.Log("waiting: " + b.Status + " " + c.Status + " " + d.Status);
        go.Open();
        Harness.Finish(Task.WhenAll(a, b, c, d), "all");

        Task nested = null;
        Task outer = ex.StartNew(() =>
        {
            nested = ex.StartNew(() => Trace.Log("nested exclusive"));
            nested.Wait();
            Trace.Log("the nested one ran inside the wait");
        });
        Harness.FinishOrDeadlock(outer, "nested exclusive");

        pair.Complete();
        Harness.Finish(pair.Completion, "completion");
        Trace.Log("completion: " + pair.Completion.Status);
        Trace.Log("after Complete: " + Err.Of(() => ex.StartNew(() => { })));
    }

    static int Main() { return Harness.Run(Body); }
}
