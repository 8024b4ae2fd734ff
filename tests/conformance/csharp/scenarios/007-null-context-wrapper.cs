// SPDX-License-Identifier: MIT
// 007-null-context-wrapper
// Removing the current context around the call, and putting it back, avoids the capture.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S007
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        Trace.Log("get: before await, context=" + Who.Context);
        int v = await s_source.Task;
        Trace.Log("get: after await, context=" + Who.Context);
        return v;
    }

    static T WithoutContext<T>(Func<Task<T>> f)
    {
        SynchronizationContext saved = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try { return f().Result; }
        finally { SynchronizationContext.SetSynchronizationContext(saved); }
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", () =>
        {
            Trace.Log("handler: context=" + Who.Context);
            int v = WithoutContext(() =>
            {
                Task<int> t = GetAsync();
                Worker.Start("worker", () => s_source.SetResult(42));
                return t;
            });
            Trace.Log("handler: got " + v + ", context=" + Who.Context);
        });
        Trace.Log("posts=" + ui.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
