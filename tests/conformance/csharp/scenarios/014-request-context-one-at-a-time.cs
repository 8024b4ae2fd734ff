// SPDX-License-Identifier: MIT
// 014-request-context-one-at-a-time
// Two continuations of one request never overlap, though each may run on any pool thread.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S014
{
    static readonly TaskCompletionSource<int> s_a = new TaskCompletionSource<int>();
    static readonly TaskCompletionSource<int> s_b = new TaskCompletionSource<int>();
    static readonly RequestContext s_request = new RequestContext("request");

    static async Task AAsync()
    {
        await s_a.Task;
        Trace.Log("a: in");
        while (s_request.Pending == 0) Thread.Sleep(1);
        Trace.Log("a: b is waiting outside, pending=" + s_request.Pending);
        Trace.Log("a: out");
    }

    static async Task BAsync()
    {
        await s_b.Task;
        Trace.Log("b: in");
        Trace.Log("b: out");
    }

    static void Body()
    {
        s_request.LogPosts = false;
        Task t = null;
        s_request.Run("action", () => { t = Task.WhenAll(AAsync(), BAsync()); });
        Worker.Run("worker", () => { s_a.SetResult(1); s_b.SetResult(1); });
        Harness.Finish(t, "both");
        Trace.Log("greatest number inside: " + s_request.MaxInside);
    }

    static int Main() { return Harness.Run(Body); }
}
