// SPDX-License-Identifier: MIT
// 045-async-void-error
// async void under a context: the operation is counted, and the error is posted to the context
// that was current when the method was called.
using System;
using System.Threading.Tasks;

static class S045
{
    static async void HandlerAsync(Task t, bool configured)
    {
        Trace.Log("handler: start");
        if (configured) await t.ConfigureAwait(false);
        else await t;
        Trace.Log("handler: throwing, context=" + Who.Context);
        throw new TestError("boom");
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        var source = new TaskCompletionSource<int>();
        ui.Run("call", () =>
        {
            Trace.Log("calling: " + Err.Of(() => HandlerAsync(source.Task, false)));
        });
        Worker.Run("worker", () => source.SetResult(1));
        ui.Drain();
        ui.Drain();

        Trace.Log("with ConfigureAwait(false)");
        var source2 = new TaskCompletionSource<int>();
        ui.Run("call", () => HandlerAsync(source2.Task, true));
        var hold = new Gate("hold");
        ui.Context.PostQuiet(_ => hold.Wait(), null);      // so that the worker logs first
        Worker.Run("worker", () => source2.SetResult(1));
        hold.Open();
        ui.Drain();

        Trace.Log("thrown before any await");
        ui.Run("call", () =>
        {
            Trace.Log("calling: " + Err.Of(() => HandlerAsync(Task.CompletedTask, false)));
        });
        ui.Drain();
    }

    static int Main() { return Harness.Run(Body); }
}
