// SPDX-License-Identifier: MIT
// 038-status-transitions
using System;
using System.Threading;
using System.Threading.Tasks;

static class S038
{
    static async Task NeverAsync(Task t) { await t; }

    static void Body()
    {
        var sched = new ManualScheduler("sched") { LogCalls = false };
        Task t = null;
        t = new Task(() => Trace.Log("running: " + t.Status));
        Trace.Log("cold: " + t.Status);
        t.Start(sched);
        Trace.Log("started: " + t.Status);
        sched.RunAll();
        Trace.Log("finished: " + t.Status);
        Trace.Log("Start again: " + Err.Of(() => t.Start(sched)));

        Task c = t.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, sched);
        Trace.Log("continuation of a finished task: " + c.Status);
        var source = new TaskCompletionSource<int>();
        Task d = source.Task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, sched);
        Trace.Log("continuation of a pending task: " + d.Status);
        Trace.Log("promise: " + source.Task.Status);
        Trace.Log("async method: " + NeverAsync(source.Task).Status);
        Trace.Log("Start of a promise: " + Err.Of(() => source.Task.Start()));
        Trace.Log("Start of a continuation: " + Err.Of(() => d.Start()));
        Trace.Log("Dispose of a pending task: " + Err.Of(() => d.Dispose()));

        Task f = new Task(() => { throw new TestError("x"); });
        f.Start(sched);
        sched.RunAll();
        Trace.Log("failed: " + Harness.Describe(f) + " completed=" + f.IsCompleted + " faulted=" + f.IsFaulted + " canceled=" + f.IsCanceled);

        var cts = new CancellationTokenSource();
        Task g = new Task(() => Trace.Log("never"), cts.Token);
        g.Start(sched);
        cts.Cancel();
        Trace.Log("canceled while queued: " + g.Status);
        sched.RunAll();
        Trace.Log("after its turn: " + g.Status);
        Task h = new Task(() => { }, cts.Token);
        Trace.Log("created with a canceled token: " + h.Status);
        Trace.Log("Start: " + Err.Of(() => h.Start(sched)));
    }

    static int Main() { return Harness.Run(Body); }
}
