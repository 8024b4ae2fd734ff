// SPDX-License-Identifier: MIT
// 065-semaphore-order
// Asynchronous waiters are served in order; Release never runs a waiter's continuation itself.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S065
{
    static readonly SemaphoreSlim s_sem = new SemaphoreSlim(0, 2);

    static async Task WaitAsync(int i, Gate gate)
    {
        Task w = s_sem.WaitAsync();
        await w;
        gate.Wait();
        Trace.Log("waiter " + i + " entered on " + Who.Label);
    }

    static void Body()
    {
        var gates = new Gate[3];
        var tasks = new Task[3];
        for (int i = 0; i < 3; i++)
        {
            gates[i] = new Gate("g" + i);
            tasks[i] = WaitAsync(i, gates[i]);
        }
        for (int i = 0; i < 3; i++)
        {
            Trace.Log("Release returns " + s_sem.Release() + ", count " + s_sem.CurrentCount);
            gates[i].Open();
            Harness.Finish(tasks[i], "waiter");
        }
        Trace.Log("Release: " + s_sem.Release() + " " + s_sem.Release() + ", count " + s_sem.CurrentCount);
        Trace.Log("too many: " + Err.Of(() => s_sem.Release()));
        Trace.Log("free: " + s_sem.WaitAsync().Status + " " + s_sem.Wait(0) + ", count " + s_sem.CurrentCount);
        Trace.Log("no wait: " + s_sem.Wait(0) + " " + s_sem.WaitAsync(0).Result);
        var cts = new CancellationTokenSource();
        Task<bool> timed = s_sem.WaitAsync(30);
        Task canceled = s_sem.WaitAsync(cts.Token);
        Task last = s_sem.WaitAsync();
        cts.Cancel();
        Harness.Finish(canceled, "canceled");
        Harness.Finish(timed, "timed");
        Trace.Log("canceled: " + canceled.Status + ", timed out: " + timed.Result);
        s_sem.Release();
        Harness.Finish(last, "last");
        Trace.Log("the waiters that left are skipped: " + last.Status + ", count " + s_sem.CurrentCount);
        Trace.Log("already cancelled token: " + s_sem.WaitAsync(cts.Token).Status);
    }

    static int Main() { return Harness.Run(Body); }
}
