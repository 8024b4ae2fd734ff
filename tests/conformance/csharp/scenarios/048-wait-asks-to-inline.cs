// SPDX-License-Identifier: MIT
// 048-wait-asks-to-inline
// An unlimited Wait on a queued task offers to run it on the waiting thread; the scheduler
// decides.  A Wait with a timeout or a token never offers.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S048
{
    static void Body()
    {
        var sched = new ManualScheduler("sched");
        Func<Task> start = () => Task.Factory.StartNew(() => Trace.Log("task runs, scheduler=" + Who.Scheduler),
            CancellationToken.None, TaskCreationOptions.None, sched);

        sched.AllowInline = true;
        Task a = start();
        a.Wait();
        Trace.Log("a: " + a.Status + ", pending=" + sched.Pending);

        Task b = start();
        Trace.Log("Wait(0): " + b.Wait(0));
        Trace.Log("Wait(50): " + b.Wait(50));
        Trace.Log("Wait(token): " + Err.Of(() => b.Wait(new CancellationToken(true))));
        sched.RunAll();
        Trace.Log("b: " + b.Status);

        var refusing = new ManualScheduler("refusing");
        Task c = Task.Factory.StartNew(() => Trace.Log("task runs, scheduler=" + Who.Scheduler),
            CancellationToken.None, TaskCreationOptions.None, refusing);
        var returned = new Gate("returned");
        Thread w = Worker.Start("waiter", () => { c.Wait(); Trace.Log("Wait returned"); returned.Open(); });
        refusing.InlineAsked.Wait();
        Trace.Log("returned at once: " + returned.Wait(100));
        refusing.RunAll();
        w.Join();

        Task d = Task.Factory.StartNew(() => Trace.Log("first"), CancellationToken.None, TaskCreationOptions.None, sched);
        Task e = Task.Factory.StartNew(() => Trace.Log("second"), CancellationToken.None, TaskCreationOptions.None, sched);
        Task.WaitAll(d, e);                                // offers the last one first
        Trace.Log("WaitAll done, pending=" + sched.Pending);
        Task f = start();
        sched.RunAll();
        f.Wait();
        Trace.Log("a finished task is not offered");
        var p = new TaskCompletionSource<int>();
        Trace.Log("nor is a promise: " + p.Task.Wait(0));
    }

    static int Main() { return Harness.Run(Body); }
}
