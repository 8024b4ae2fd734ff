// SPDX-License-Identifier: MIT
// 021-await-completed-is-synchronous
// Awaiting what is already complete does not suspend; the first real suspension returns to the caller.
using System;
using System.Threading.Tasks;

static class S021
{
    static async Task<int> ManyAsync(Task<int> last)
    {
        Trace.Log("method: start");
        await Task.CompletedTask;
        Trace.Log("method: 1");
        int v = await Task.FromResult(10);
        Trace.Log("method: 2");
        v += await NestedAsync();
        Trace.Log("method: 3");
        v += await last;
        Trace.Log("method: 4");
        return v;
    }

    static async Task<int> NestedAsync()
    {
        Trace.Log("nested");
        await Task.Delay(0);
        return 20;
    }

    static void Body()
    {
        Task<int> t = ManyAsync(Task.FromResult(30));
        Trace.Log("caller: " + t.Status + " " + t.Result);
        var source = new TaskCompletionSource<int>();
        t = ManyAsync(source.Task);
        Trace.Log("caller: " + t.Status);
        source.SetResult(40);
        Trace.Log("caller: " + t.Status + " " + t.Result);
    }

    static int Main() { return Harness.Run(Body); }
}
