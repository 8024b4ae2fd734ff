// SPDX-License-Identifier: MIT
// 040-whenall
// WhenAll waits for every task; a fault wins over a cancellation; all errors are kept, in the
// order of the arguments; await throws the first.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S040
{
    static async Task AwaitAsync(Task t) { await t; }

    static void Body()
    {
        var a = new TaskCompletionSource<int>();
        var b = new TaskCompletionSource<int>();
        var c = new TaskCompletionSource<int>();
        var d = new TaskCompletionSource<int>();
        Task<int[]> all = Task.WhenAll(a.Task, b.Task, c.Task, d.Task);
        d.SetException(new Exception[] { new TestError("d1"), new TestError("d2") });
        Trace.Log("after a fault: " + all.Status);
        b.SetCanceled();
        Trace.Log("after a cancellation: " + all.Status);
        a.SetException(new TestError("a"));
        c.SetResult(3);
        Trace.Log("all: " + Harness.Describe(all));
        Trace.Log("awaited: " + Err.Of(() => AwaitAsync(all).GetAwaiter().GetResult()));

        var tok = new CancellationTokenSource();
        tok.Cancel();
        Task e = Task.WhenAll(Task.CompletedTask, Task.FromCanceled(tok.Token), Task.CompletedTask);
        Trace.Log("canceled only: " + Harness.Describe(e));
        try { e.GetAwaiter().GetResult(); }
        catch (OperationCanceledException x) { Trace.Log("token of the first canceled: " + (x.CancellationToken == tok.Token)); }

        Task<int[]> r = Task.WhenAll(Task.FromResult(1), Task.FromResult(2), Task.FromResult(3));
        Trace.Log("results: " + string.Join(",", r.Result));
        Task n = Task.WhenAll(new Task[0]);
        Trace.Log("none: " + n.Status);
        Trace.Log("null element: " + Err.Of(() => Task.WhenAll(Task.CompletedTask, null)));
        Task one = Task.FromResult(1);
        Trace.Log("the same task twice: " + Task.WhenAll(one, one).Status);
    }

    static int Main() { return Harness.Run(Body); }
}
