// SPDX-License-Identifier: MIT
// 037-result-versus-await-errors
// Result and Wait wrap all errors in an aggregate; await and GetResult throw the first one as is.
using System;
using System.Threading.Tasks;

static class S037
{
    static async Task<int> AwaitAsync(Task<int> t) { return await t; }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        source.SetException(new Exception[] { new TestError("a"), new TestError("b") });
        Task<int> t = source.Task;
        Trace.Log("status: " + t.Status);
        Trace.Log("Exception: " + Err.Name(t.Exception));
        Trace.Log("Result: " + Err.Of(() => { int v = t.Result; Trace.Log("" + v); }));
        Trace.Log("Wait: " + Err.Of(() => t.Wait()));
        Trace.Log("GetResult: " + Err.Of(() => t.GetAwaiter().GetResult()));
        Task<int> u = AwaitAsync(t);
        Trace.Log("awaited by a method: " + Harness.Describe(u));
        Trace.Log("same object: " + (u.Exception.InnerException == t.Exception.InnerExceptions[0]));

        Task c = Task.FromCanceled(new System.Threading.CancellationToken(true));
        Trace.Log("canceled, Exception: " + Err.Name(c.Exception));
        Trace.Log("canceled, Wait: " + Err.Of(() => c.Wait()));
        Trace.Log("canceled, GetResult: " + Err.Of(() => c.GetAwaiter().GetResult()));
        Trace.Log("WaitAll: " + Err.Of(() => Task.WaitAll(t, c)));
    }

    static int Main() { return Harness.Run(Body); }
}
