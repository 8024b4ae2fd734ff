// SPDX-License-Identifier: MIT
// 077-bounded-scheduler-starvation
// The starvation of 015 on a scheduler with three threads: all of them block on tasks whose
// continuations are queued behind them.  With one thread more it goes through, and with await
// one thread is enough.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

static class S077
{
    static async Task<int> WorkAsync()
    {
        await Task.Yield();                     // captures the scheduler
        return 1;
    }

    static void Blocking(string what, int threads, int items)
    {
        var sched = new FixedScheduler("fixed", threads);
        var arrived = new CountdownEvent(items);
        var finished = new CountdownEvent(items);
        for (int i = 0; i < items; i++)
        {
            Task.Factory.StartNew(() =>
            {
                arrived.Signal();
                arrived.Wait();
                WorkAsync().Wait();
                finished.Signal();
            }, CancellationToken.None, TaskCreationOptions.None, sched);
        }
        if (finished.Wait(Harness.DeadlockMs)) Trace.Log(what + ": finished");
        else Trace.Log(what + ": DEADLOCK, finished " + (items - finished.CurrentCount) + ", pending=" + sched.Pending);
    }

    static async Task ItemAsync()
    {
        for (int i = 0; i < 3; i++) await WorkAsync();
    }

    static void Body()
    {
        Blocking("3 items on 3 threads", 3, 3);
        Blocking("3 items on 4 threads", 4, 3);
        var one = new FixedScheduler("fixed", 1);
        var all = new List<Task>();
        for (int i = 0; i < 20; i++)
            all.Add(Task.Factory.StartNew(() => ItemAsync(), CancellationToken.None, TaskCreationOptions.None, one).Unwrap());
        Harness.Finish(Task.WhenAll(all), "all");
        Trace.Log("20 items with await on 1 thread: finished");
    }

    static int Main() { return Harness.Run(Body); }
}
