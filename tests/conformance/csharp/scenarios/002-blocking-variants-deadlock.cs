// SPDX-License-Identifier: MIT
// 002-blocking-variants-deadlock
// Wait(), GetAwaiter().GetResult() and Task.WaitAll block the context exactly like Result.
using System;
using System.Threading.Tasks;

static class S002
{
    static async Task<int> GetAsync(Task<int> source)
    {
        int v = await source;
        Trace.Log("get: after await");
        return v;
    }

    static void Try(string how, Action<Task<int>> block)
    {
        var source = new TaskCompletionSource<int>();
        UiThread ui = UiThread.Start();
        ui.Run(how, () =>
        {
            Task<int> t = GetAsync(source.Task);
            Trace.Log(how + ": blocking");
            Worker.Start("worker", () => source.SetResult(1));
            block(t);
            Trace.Log(how + ": unblocked");
        });
    }

    static void Body()
    {
        Try("Wait", t => t.Wait());
        Try("GetResult", t => t.GetAwaiter().GetResult());
        Try("WaitAll", t => Task.WaitAll(t));
        Try("WaitAny", t => Task.WaitAny(t));
    }

    static int Main() { return Harness.Run(Body); }
}
