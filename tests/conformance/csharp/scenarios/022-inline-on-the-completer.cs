// SPDX-License-Identifier: MIT
// 022-inline-on-the-completer
// Without a context the continuation runs inside SetResult, on the completing thread, through
// every level of async callers.
using System;
using System.Threading.Tasks;

static class S022
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task<int> InnerAsync()
    {
        int v = await s_source.Task;
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
        Trace.Log("caller: " + t.Status);
        Worker.Run("worker", () =>
        {
            Trace.Log("before SetResult");
            s_source.SetResult(1);
            Trace.Log("after SetResult, outer is " + t.Status);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
