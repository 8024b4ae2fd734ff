// SPDX-License-Identifier: MIT
// 023-run-continuations-asynchronously
// With RunContinuationsAsynchronously nothing runs inside SetResult; the pool runs it.
// Only the completion of that one task is affected: the next level is inlined again.
using System;
using System.Threading.Tasks;

static class S023
{
    static readonly TaskCompletionSource<int> s_source =
        new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
    static readonly Gate s_after = new Gate("after SetResult");

    static async Task<int> InnerAsync()
    {
        int v = await s_source.Task;
        if (Who.Label == "pool") s_after.Wait();
        Trace.Log("inner: resumed");
        return v;
    }

    static async Task<int> OuterAsync()
    {
        int v = await InnerAsync();
        Trace.Log("outer: resumed");
        return v + 1;
    }

    static void Body()
    {
        Task<int> t = OuterAsync();
        Worker.Run("worker", () =>
        {
            Trace.Log("before SetResult");
            s_source.SetResult(1);
            Trace.Log("after SetResult, source is " + s_source.Task.Status + ", outer is " + t.Status);
            s_after.Open();
        });
        Harness.Finish(t, "outer");
        Trace.Log("outer is " + t.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
