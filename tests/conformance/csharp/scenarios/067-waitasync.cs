// SPDX-License-Identifier: MIT
// 067-waitasync
// WaitAsync bounds the wait, not the task.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S067
{
    static async Task HandlerAsync(Task never)
    {
        try { await never.WaitAsync(TimeSpan.FromMilliseconds(50)); }
        catch (TimeoutException) { Trace.Log("timeout, context=" + Who.Context + ", the task: " + never.Status); }
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        Task<int> t = source.Task;
        Trace.Log("no limit gives the task itself: " + (t.WaitAsync(CancellationToken.None) == t));
        Trace.Log("zero: " + Harness.Describe(t.WaitAsync(TimeSpan.Zero)));
        Trace.Log("zero and a cancelled token: " + Harness.Describe(t.WaitAsync(TimeSpan.Zero, new CancellationToken(true))));
        var cts = new CancellationTokenSource();
        Task<int> w = t.WaitAsync(cts.Token);
        Trace.Log("pending: " + w.Status);
        cts.Cancel();
        Trace.Log("cancelled: " + w.Status + ", the task: " + t.Status);
        Task<int> x = t.WaitAsync(TimeSpan.FromMilliseconds(30));
        Harness.Finish(x, "x");
        Trace.Log("timed out: " + Harness.Describe(x) + ", the task: " + t.Status);
        Task<int> y = t.WaitAsync(TimeSpan.FromSeconds(60));
        UiThread ui = UiThread.Start();
        ui.RunAsync("handler", () => HandlerAsync(t));
        source.SetResult(5);
        Harness.Finish(y, "y");
        Trace.Log("in time: " + y.Status + " " + y.Result);
        Trace.Log("a finished task gives itself: " + (t.WaitAsync(TimeSpan.FromSeconds(1), cts.Token) == t));
    }

    static int Main() { return Harness.Run(Body); }
}
