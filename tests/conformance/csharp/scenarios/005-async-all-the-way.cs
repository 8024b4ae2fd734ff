// SPDX-License-Identifier: MIT
// 005-async-all-the-way
// The handler awaits instead of blocking: it returns to the loop, and resumes on the context.
using System;
using System.Threading.Tasks;

static class S005
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        int v = await s_source.Task;
        Trace.Log("get: after await, context=" + Who.Context);
        return v;
    }

    static async Task HandlerAsync()
    {
        Trace.Log("handler: start");
        int v = await GetAsync();
        Trace.Log("handler: got " + v + ", context=" + Who.Context);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        Task t = null;
        ui.Run("handler", () =>
        {
            t = HandlerAsync();
            Trace.Log("handler: back in the loop, " + t.Status);
        });
        Worker.Run("worker", () => s_source.SetResult(42));
        Harness.Finish(t, "handler");
        Trace.Log(Harness.Describe(t) + ", posts=" + ui.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
