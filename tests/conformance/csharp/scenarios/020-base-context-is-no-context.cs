// SPDX-License-Identifier: MIT
// 020-base-context-is-no-context
// A current context whose type is exactly SynchronizationContext is ignored by await;
// a derived type that adds nothing is not.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S020
{
    sealed class Derived : SynchronizationContext, INamed { public string Name { get { return "derived"; } } }

    static async Task<int> GetAsync(Task<int> source)
    {
        int v = await source;
        Trace.Log("get: after await, context=" + Who.Context);
        return v;
    }

    static void Try(SynchronizationContext context)
    {
        var source = new TaskCompletionSource<int>();
        Worker.Run("user", () =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            Trace.Log("user: context=" + Who.Context);
            Task<int> t = GetAsync(source.Task);
            Worker.Start("worker", () => source.SetResult(42));
            Trace.Log("user: got " + t.Result);
        });
    }

    static void Body()
    {
        Try(new SynchronizationContext());   // continuation inlined on the worker
        Try(new Derived());                  // continuation posted: Post of the base type uses the pool
    }

    static int Main() { return Harness.Run(Body); }
}
