// SPDX-License-Identifier: MIT
// 027-several-awaiters
// Several awaits of one task, no context.  .NET: only the first await continuation is
// inlined, the others are queued to the pool, before the first one runs.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S027
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();
    static readonly string[] s_where = new string[3];

    static async Task WaitAsync(int i)
    {
        await s_source.Task;
        s_where[i] = Who.Label;
    }

    static void Body()
    {
        Task all = Task.WhenAll(WaitAsync(0), WaitAsync(1), WaitAsync(2));
        Worker.Run("worker", () => s_source.SetResult(1));
        Harness.Finish(all, "all");
        for (int i = 0; i < 3; i++) Trace.Log("awaiter " + i + " resumed on " + s_where[i]);
    }

    static int Main() { return Harness.Run(Body); }
}
