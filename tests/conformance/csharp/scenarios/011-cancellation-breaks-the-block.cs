// SPDX-License-Identifier: MIT
// 011-cancellation-breaks-the-block
// Cancelling the token given to Wait ends the wait (not the task): the deadlock resolves.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S011
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
        var cts = new CancellationTokenSource();
        Task<int> t = null;
        ui.Run("handler", () =>
        {
            t = GetAsync();
            Worker.Run("worker", () => s_source.SetResult(42));
            Trace.Log("handler: blocking");
            Worker.Start("worker", () => { Trace.Log("cancelling"); cts.Cancel(); });
            string how = Err.Of(() => t.Wait(cts.Token));
            Trace.Log("handler: wait ended with " + how + ", task is " + t.Status);
        });
        Harness.Finish(t, "get");
        Trace.Log(Harness.Describe(t));
    }

    static int Main() { return Harness.Run(Body); }
}
