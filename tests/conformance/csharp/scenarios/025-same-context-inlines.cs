// SPDX-License-Identifier: MIT
// 025-same-context-inlines
// A continuation captured for a context runs inside SetResult, without any Post, when the
// completing code already runs in that same context.
using System;
using System.Threading.Tasks;

static class S025
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task WaitAsync()
    {
        await s_source.Task;
        Trace.Log("resumed, context=" + Who.Context);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        Task t = null;
        ui.Run("first", () => { t = WaitAsync(); Trace.Log("first: returned"); });
        ui.Run("second", () =>
        {
            Trace.Log("second: before SetResult");
            s_source.SetResult(1);
            Trace.Log("second: after SetResult, " + t.Status);
        });
        Trace.Log("posts=" + ui.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
