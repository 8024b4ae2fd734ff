// SPDX-License-Identifier: MIT
// 003-configureawait-false-everywhere
// ConfigureAwait(false) on every await below the blocking call: no continuation needs the
// blocked context, the continuations run inline on the completing plain thread.
using System;
using System.Threading.Tasks;

static class S003
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> InnerAsync()
    {
        int v = await s_source.Task.ConfigureAwait(false);
        Trace.Log("inner: after await, context=" + Who.Context);
        return v;
    }

    static async Task<int> OuterAsync()
    {
        int v = await InnerAsync().ConfigureAwait(false);
        Trace.Log("outer: after await, context=" + Who.Context);
        return v + 1;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", () =>
        {
            Task<int> t = OuterAsync();
            Trace.Log("handler: blocking");
            Worker.Start("worker", () => { Trace.Log("completing the source"); s_source.SetResult(42); });
            Trace.Log("handler: got " + t.Result + ", context=" + Who.Context);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
