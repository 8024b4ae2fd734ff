// SPDX-License-Identifier: MIT
// 009-nested-pump
// Running messages while waiting lets the continuation in; it lets any other message in too,
// in the middle of the handler (re-entrancy).
using System;
using System.Threading.Tasks;

static class S009
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();
    static bool s_inHandler;

    static async Task<int> GetAsync()
    {
        int v = await s_source.Task;
        Trace.Log("get: after await");
        return v;
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Run("handler", () =>
        {
            s_inHandler = true;
            Task<int> t = GetAsync();
            ui.Context.PostQuiet(_ => Trace.Log("other message, in the handler: " + s_inHandler), null);
            Worker.Run("worker", () => s_source.SetResult(42));
            Trace.Log("handler: nested loop, pending=" + ui.Context.Pending);
            ui.Context.PumpUntil(t);
            Trace.Log("handler: got " + t.Result);
            s_inHandler = false;
        });
    }

    static int Main() { return Harness.Run(Body); }
}
