// SPDX-License-Identifier: MIT
// 008-completed-task-no-deadlock
// When every awaited task is already complete the method never suspends, so Result is harmless.
using System;
using System.Threading.Tasks;

static class S008
{
    static async Task<int> GetAsync(Task<int> source)
    {
        Trace.Log("get: before await");
        int v = await source;
        Trace.Log("get: after await, context=" + Who.Context);
        return v;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", () =>
        {
            Task<int> t = GetAsync(Task.FromResult(7));
            Trace.Log("handler: task is " + t.Status);
            Trace.Log("handler: got " + t.Result);
        });
        Trace.Log("posts=" + ui.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
