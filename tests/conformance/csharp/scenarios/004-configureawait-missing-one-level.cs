// SPDX-License-Identifier: MIT
// 004-configureawait-missing-one-level
// One await in the chain lacks ConfigureAwait(false): that is enough to deadlock.
using System;
using System.Threading.Tasks;

static class S004
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> InnerAsync()
    {
        int v = await s_source.Task.ConfigureAwait(false);
        Trace.Log("inner: after await, context=" + Who.Context);
        return v;
    }

    static async Task<int> MiddleAsync()
    {
        int v = await InnerAsync();               // the forgotten one
        Trace.Log("middle: after await");
        return v + 1;
    }

    static async Task<int> OuterAsync()
    {
        int v = await MiddleAsync().ConfigureAwait(false);
        Trace.Log("outer: after await");
        return v + 1;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", () =>
        {
            Task<int> t = OuterAsync();
            Trace.Log("handler: blocking");
            Worker.Start("worker", () => s_source.SetResult(42));
            Trace.Log("handler: got " + t.Result);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
