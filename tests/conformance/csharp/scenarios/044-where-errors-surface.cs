// SPDX-License-Identifier: MIT
// 044-where-errors-surface
// An error of an async method is stored in its task, even when thrown before the first await;
// an ordinary method that returns a task throws to its caller.
using System;
using System.Threading.Tasks;

static class S044
{
    static async Task AsyncAsync(bool early, Task t)
    {
        if (early) throw new TestError("early");
        await t;
        throw new TestError("late");
    }

    static Task OrdinaryAsync() { throw new TestError("ordinary"); }

    static async Task<string> CatchAsync(Task t)
    {
        try { await t; return "ok"; }
        catch (TestError e) { return "caught " + Err.Name(e); }
        finally { Trace.Log("finally"); }
    }

    static void Body()
    {
        Task t = null;
        Trace.Log("call: " + Err.Of(() => t = AsyncAsync(true, null)));
        Trace.Log("task: " + Harness.Describe(t));
        Trace.Log("call: " + Err.Of(() => OrdinaryAsync()));
        var source = new TaskCompletionSource<int>();
        Task u = AsyncAsync(false, source.Task);
        Task<string> c = CatchAsync(u);
        Trace.Log("pending: " + u.Status + " " + c.Status);
        source.SetResult(1);
        Trace.Log("task: " + Harness.Describe(u) + ", catcher: " + c.Result);
    }

    static int Main() { return Harness.Run(Body); }
}
