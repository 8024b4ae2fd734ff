// SPDX-License-Identifier: MIT
// 015-pool-starvation
// Every thread of a clamped pool blocks on a task whose continuation needs a pool thread:
// no context is involved, and it is a deadlock all the same.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S015
{
    static int s_done;

    static async Task<int> WorkAsync()
    {
        await Task.Yield();          // the continuation is queued to the pool
        return 1;
    }

    static void Body()
    {
        int n = Pool.Clamp();
        var arrived = new CountdownEvent(n);
        var finished = new CountdownEvent(n);
        for (int i = 0; i < n; i++)
        {
            Pool.Queue(() =>
            {
                arrived.Signal();
                arrived.Wait();                            // all pool threads are here
                int v = WorkAsync().Result;
                Interlocked.Add(ref s_done, v);
                finished.Signal();
            });
        }
        arrived.Wait();
        Trace.Log("every pool thread is blocking");
        if (!finished.Wait(Harness.DeadlockMs)) Trace.Log("DEADLOCK pool, done=" + s_done);
        else Trace.Log("finished, all done: " + (s_done == n));
    }

    static int Main() { return Harness.Run(Body); }
}
