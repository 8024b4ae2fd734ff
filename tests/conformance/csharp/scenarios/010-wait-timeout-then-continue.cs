// SPDX-License-Identifier: MIT
// 010-wait-timeout-then-continue
// Wait(timeout) gives up with false; when the handler returns, the posted continuation runs.
using System;
using System.Threading.Tasks;

static class S010
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> GetAsync()
    {
        int v = await s_source.Task;
        Trace.Log("get: after await");
        return v;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        Task<int> t = null;
        ui.Run("handler", () =>
        {
            t = GetAsync();
            Worker.Run("worker", () => s_source.SetResult(42));
            bool ok = t.Wait(100);
            Trace.Log("handler: wait returned " + ok + ", task is " + t.Status);
        });
        Harness.Finish(t, "get");
        Trace.Log("result " + t.Result);
    }

    static int Main() { return Harness.Run(Body); }
}
