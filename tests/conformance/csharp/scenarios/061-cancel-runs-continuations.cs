// SPDX-License-Identifier: MIT
// 061-cancel-runs-continuations
// Cancel completes cancelable tasks, and their continuations run inside Cancel: user code runs
// on the canceller's stack, under whatever lock it holds.  Delay is an exception: its cancellation
// is completed by the pool.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S061
{
    // A cancelable operation as anyone would write it.
    static Task Operation(CancellationToken token)
    {
        var source = new TaskCompletionSource<int>();
        token.Register(() => source.TrySetCanceled(token));
        return source.Task;
    }

    static async Task WaitAsync(Task operation, CancellationToken token)
    {
        try { await operation; }
        catch (OperationCanceledException e)
        {
            Trace.Log("canceled, the given token: " + (e.CancellationToken == token));
        }
        Trace.Log("method: end");
    }

    static void Body()
    {
        var cts = new CancellationTokenSource();
        Task t = WaitAsync(Operation(cts.Token), cts.Token);
        Trace.Log("waiting, " + t.Status);
        Worker.Run("worker", () =>
        {
            Trace.Log("before Cancel");
            cts.Cancel();
            Trace.Log("after Cancel, " + t.Status);
        });
        UiThread ui = UiThread.Start();
        var cts2 = new CancellationTokenSource();
        Task u = null;
        ui.Run("call", () => u = WaitAsync(Operation(cts2.Token), cts2.Token));
        Worker.Run("worker", () => cts2.Cancel());
        Harness.Finish(u, "u");

        var cts3 = new CancellationTokenSource();
        Task delay = WaitAsync(Task.Delay(Timeout.Infinite, cts3.Token), cts3.Token);
        Worker.Run("worker", () => cts3.Cancel());
        Harness.Finish(delay, "delay");
    }

    static int Main() { return Harness.Run(Body); }
}
