// SPDX-License-Identifier: MIT
// 049-wait-inlines-own-local-queue
// On the default scheduler a queued task is inlined by Wait only when it sits in the local
// queue of the waiting pool thread.  A thread outside the pool cannot inline it.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S049
{
    static void Body()
    {
        int n = Pool.Clamp();
        var release = new Gate("release");
        Pool.Occupy(n - 1, release);                      // one pool thread is left
        var done = new Gate("done");
        Pool.Queue(() =>
        {
            int me = Thread.CurrentThread.ManagedThreadId;
            Task<int> t = Task.Factory.StartNew(() => Thread.CurrentThread.ManagedThreadId,
                CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
            Trace.Log("local task run by the waiting thread: " + (t.Result == me));
            Task<int> r = Task.Run(() => Thread.CurrentThread.ManagedThreadId);
            Trace.Log("Task.Run run by the waiting thread: " + (r.Result == me));
            Task<int> x = Task.Factory.StartNew(() => 1), y = Task.Factory.StartNew(() => 2);
            Trace.Log("the older first: " + x.Result + " " + y.Result);
            done.Open();
            release.Wait(Timeout.Infinite);               // now none is left
        });
        done.Wait();
        Task<int> u = Task.Run(() => 1);
        var got = new Gate("got");
        Worker.Start("outsider", () => { Trace.Log("waiting"); u.Wait(); got.Open(); });
        Trace.Log("outsider got it: " + got.Wait(200));
        release.Open();
        got.Wait();
        Trace.Log("outsider got it after a thread came free");
    }

    static int Main() { return Harness.Run(Body); }
}
