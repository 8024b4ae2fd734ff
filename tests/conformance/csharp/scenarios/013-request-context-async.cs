// SPDX-License-Identifier: MIT
// 013-request-context-async
// Awaiting inside a request context: resumes inside the context, on whatever pool thread.
using System;
using System.Threading.Tasks;

static class S013
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task ActionAsync()
    {
        Trace.Log("action: start, context=" + Who.Context);
        int v = await s_source.Task;
        Trace.Log("action: got " + v + ", context=" + Who.Context);
        await Task.FromResult(1).ConfigureAwait(false);
        Trace.Log("action: completed await with false, context=" + Who.Context);
        await Task.Yield();
        Trace.Log("action: after yield, context=" + Who.Context);
    }

    static void Body()
    {
        var request = new RequestContext("request");
        Task t = null;
        request.Run("action", () => { t = ActionAsync(); Trace.Log("action: returned, " + t.Status); });
        Worker.Run("worker", () => s_source.SetResult(42));
        Harness.Finish(t, "action");
        Trace.Log(Harness.Describe(t));
    }

    static int Main() { return Harness.Run(Body); }
}
