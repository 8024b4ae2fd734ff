// SPDX-License-Identifier: MIT
// 041-whenany
// WhenAny completes successfully with the first task, whatever its outcome; the others go on.
using System;
using System.Threading.Tasks;

static class S041
{
    static void Body()
    {
        var a = new TaskCompletionSource<int>();
        var b = new TaskCompletionSource<int>();
        var c = new TaskCompletionSource<int>();
        Task<Task<int>> any = Task.WhenAny(a.Task, b.Task, c.Task);
        Trace.Log("none yet: " + any.Status);
        b.SetException(new TestError("b"));
        Harness.Finish(any, "any");
        Trace.Log("any: " + any.Status + ", the second: " + (any.Result == b.Task) + ", " + Harness.Describe(any.Result));
        a.SetResult(1);
        Trace.Log("still the second: " + (any.Result == b.Task));

        Task[] many = { c.Task, a.Task, b.Task };
        Task<Task> any2 = Task.WhenAny(many);
        Trace.Log("completed already: " + any2.Status + ", the lowest index: " + (any2.Result == a.Task));
        Trace.Log("no tasks: " + Err.Of(() => Task.WhenAny(new Task[0])));
        Task<Task<int>> any3 = Task.WhenAny(Task.FromResult(5), c.Task);
        Trace.Log("two: " + any3.Status + " " + any3.Result.Result);
        Trace.Log("the loser: " + c.Task.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
