// SPDX-License-Identifier: MIT
// 030-deep-completion-chain
// A very long chain of async methods, each awaiting the one before, completes without
// exhausting the stack: inlining stops when the stack gets short.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S030
{
    const int Depth = 200000;
    static int s_resumed;

    static async Task<int> LinkAsync(Task<int> before)
    {
        int v = await before.ConfigureAwait(false);
        Interlocked.Increment(ref s_resumed);
        return v + 1;
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        Task<int> t = source.Task;
        for (int i = 0; i < Depth; i++) t = LinkAsync(t);
        Worker.Run("worker", () => source.SetResult(0));
        Harness.Finish(t, "chain");
        Trace.Log("all links resumed: " + (t.Result == Depth && s_resumed == Depth));
    }

    static int Main() { return Harness.Run(Body); }
}
