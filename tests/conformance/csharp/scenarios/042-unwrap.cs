// SPDX-License-Identifier: MIT
// 042-unwrap
// StartNew of an async delegate gives a task of a task: the outer one completes at the first
// suspension.  Unwrap, and Task.Run, give a proxy for the inner one.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S042
{
    static async Task<int> WorkAsync(Task source, Gate suspended)
    {
        Trace.Log("work: before");
        suspended.Open();
        await source;
        throw new TestError("inner");
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        var suspended = new Gate("suspended");
        var begin = new Gate("begin");
        Task<Task<int>> outer = Task.Factory.StartNew(() => { begin.Wait(); return WorkAsync(source.Task, suspended); },
            CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default);
        Task<int> proxy = outer.Unwrap();
        begin.Open();
        Harness.Finish(outer, "outer");
        Trace.Log("outer: " + outer.Status + ", inner: " + outer.Result.Status + ", proxy: " + proxy.Status);
        source.SetResult(1);
        Harness.Finish(proxy, "proxy");
        Trace.Log("inner: " + Harness.Describe(outer.Result) + ", proxy: " + Harness.Describe(proxy));
        Trace.Log("proxy is the inner task: " + ((Task)proxy == outer.Result));
        Trace.Log("made after the outer one completed: " + ((Task)outer.Unwrap() == outer.Result));

        Task<int> run = Task.Run(() => WorkAsync(source.Task, suspended));
        Harness.Finish(run, "run");
        Trace.Log("run: " + Harness.Describe(run));

        Task<int> failing = Task.Run((Func<Task<int>>)(() => { throw new TestError("outer"); }));
        Harness.Finish(failing, "failing");
        Trace.Log("failing: " + Harness.Describe(failing));
    }

    static int Main() { return Harness.Run(Body); }
}
