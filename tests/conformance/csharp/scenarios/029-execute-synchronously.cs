// SPDX-License-Identifier: MIT
// 029-execute-synchronously
// ContinueWith queues unless ExecuteSynchronously is given; with it, a continuation added to a
// completed task runs inside ContinueWith.  On a custom scheduler it asks to be inlined first.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S029
{
    static void Body()
    {
        Task done = Task.CompletedTask;
        Task a = done.ContinueWith(_ => Trace.Log("plain"), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Harness.Finish(a, "a");
        Task b = done.ContinueWith(_ => Trace.Log("synchronous"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        Trace.Log("returned, " + b.Status);

        var sched = new ManualScheduler("sched");
        sched.AllowInline = true;
        Task c = done.ContinueWith(_ => Trace.Log("inlined by the scheduler"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, sched);
        Trace.Log("returned, " + c.Status);
        sched.AllowInline = false;
        Task d = done.ContinueWith(_ => Trace.Log("run later"), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, sched);
        Trace.Log("returned, " + d.Status);
        sched.RunAll();
        Trace.Log("at last " + d.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
