// SPDX-License-Identifier: MIT
// 001-ui-result-deadlock
// The classic: a UI handler blocks on Result of an async method whose continuation was
// captured for that same UI context.  The continuation is posted and never runs.
using System;
using System.Threading.Tasks;

static class S001
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        Trace.Log("get: before await");
        int v = await s_source.Task;
        Trace.Log("get: after await");
        return v;
    }

    static void Handler()
    {
        Trace.Log("handler: start");
        Task<int> t = GetAsync();
        Trace.Log("handler: task is " + t.Status);
        Trace.Log("handler: blocking");
        Worker.Start("worker", () => { Trace.Log("completing the source"); s_source.SetResult(42); });
        int v = t.Result;
        Trace.Log("handler: got " + v);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", Handler);
    }

    static int Main() { return Harness.Run(Body); }
}
