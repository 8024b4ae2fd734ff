// SPDX-License-Identifier: MIT
// 034-start-restores-the-context
// A change of the current context made inside an async method does not leak to its caller,
// whether the method suspends or not; a change made by an ordinary method does.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S034
{
    static readonly PumpContext s_other = new PumpContext("other") { LogPosts = false };

    static async Task SuspendsAsync(Task t)
    {
        SynchronizationContext.SetSynchronizationContext(s_other);
        Trace.Log("inside: context=" + Who.Context);
        await t;
    }

    static async Task CompletesAsync()
    {
        SynchronizationContext.SetSynchronizationContext(s_other);
        Trace.Log("inside: context=" + Who.Context);
        await Task.CompletedTask;
    }

    static void Plain() { SynchronizationContext.SetSynchronizationContext(s_other); }

    static void Body()
    {
        Worker.Run("worker", () =>
        {
            SuspendsAsync(new TaskCompletionSource<int>().Task).GetHashCode();
            Trace.Log("after the suspending one: context=" + Who.Context);
            CompletesAsync().GetHashCode();
            Trace.Log("after the completing one: context=" + Who.Context);
            Plain();
            Trace.Log("after the plain one: context=" + Who.Context);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
