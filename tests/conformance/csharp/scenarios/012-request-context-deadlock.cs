// SPDX-License-Identifier: MIT
// 012-request-context-deadlock
// A request context has no thread of its own, but admits one at a time: blocking inside it
// keeps the continuation out just the same.
using System;
using System.Threading.Tasks;

static class S012
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
        var request = new RequestContext("request");
        request.Run("action", () =>
        {
            Trace.Log("action: start, context=" + Who.Context);
            Task<int> t = GetAsync();
            Trace.Log("action: blocking");
            Worker.Start("worker", () => s_source.SetResult(42));
            Trace.Log("action: got " + t.Result);
        });
    }

    static int Main() { return Harness.Run(Body); }
}
