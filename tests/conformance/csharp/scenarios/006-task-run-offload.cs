// SPDX-License-Identifier: MIT
// 006-task-run-offload
// Blocking on Task.Run(...).Result does not deadlock: inside Task.Run there is no context to
// capture.  The UI thread is blocked all the same.
using System;
using System.Threading.Tasks;

static class S006
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();
    static readonly Gate s_suspended = new Gate("suspended");

    static async Task<int> GetAsync()
    {
        Trace.Log("get: before await, context=" + Who.Context);
        int v = await s_source.Task;
        Trace.Log("get: after await, context=" + Who.Context);
        return v;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        Worker.Start("worker", () => { s_suspended.Wait(); s_source.SetResult(42); });
        ui.Run("handler", () =>
        {
            Trace.Log("handler: blocking, context=" + Who.Context);
            int v = Task.Run(() =>
            {
                Task<int> t = GetAsync();
                s_suspended.Open();
                return t;
            }).Result;
            Trace.Log("handler: got " + v);
        });
        Trace.Log("posts=" + ui.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
