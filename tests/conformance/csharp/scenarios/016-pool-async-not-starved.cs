// SPDX-License-Identifier: MIT
// 016-pool-async-not-starved
// The same work written with await needs no more threads than there are.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

static class S016
{
    static int s_done;

    static async Task<int> WorkAsync()
    {
        await Task.Yield();
        return 1;
    }

    static async Task ItemAsync(Task start)
    {
        await start.ConfigureAwait(false);
        int v = await WorkAsync().ConfigureAwait(false);
        Interlocked.Add(ref s_done, v);
    }

    static void Body()
    {
        int n = Pool.Clamp();
        var start = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var all = new List<Task>();
        for (int i = 0; i < 10 * n; i++) all.Add(ItemAsync(start.Task));
        start.SetResult(0);
        Harness.Finish(Task.WhenAll(all), "items");
        Trace.Log("finished, all done: " + (s_done == 10 * n));
    }

    static int Main() { return Harness.Run(Body); }
}
