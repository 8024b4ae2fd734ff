// SPDX-License-Identifier: MIT
// 019-semaphore-is-not-reentrant
// SemaphoreSlim has no owner: the nested WaitAsync of the same logical flow never completes.
// No thread is blocked at all: the deadlock is purely logical.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S019
{
    static readonly SemaphoreSlim s_lock = new SemaphoreSlim(1, 1);

    static async Task InnerAsync()
    {
        Trace.Log("inner: waiting");
        await s_lock.WaitAsync();
        Trace.Log("inner: entered");
        s_lock.Release();
    }

    static async Task OuterAsync()
    {
        await s_lock.WaitAsync();
        Trace.Log("outer: entered, count=" + s_lock.CurrentCount);
        try { await InnerAsync(); }
        finally { s_lock.Release(); }
        Trace.Log("outer: left");
    }

    static void Body()
    {
        Task t = OuterAsync();
        Trace.Log("returned, " + t.Status);
        Harness.FinishOrDeadlock(t, "nested wait");
        Trace.Log("count=" + s_lock.CurrentCount);
    }

    static int Main() { return Harness.Run(Body); }
}
