// SPDX-License-Identifier: MIT
// 039-canceled-or-faulted
// When a cancellation error makes a task Canceled and when Faulted.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S039
{
    static readonly CancellationTokenSource s_mine = new CancellationTokenSource();
    static readonly CancellationTokenSource s_other = new CancellationTokenSource();

    static void Throw(CancellationToken t) { throw new OperationCanceledException(t); }
#pragma warning disable 1998
    static async Task ThrowAsync(CancellationToken t) { throw new OperationCanceledException(t); }
#pragma warning restore 1998

    static void Show(string what, Task t)
    {
        Harness.Finish(t, what);
        Trace.Log(what + ": " + Harness.Describe(t));
    }

    static void Body()
    {
        var never = new CancellationTokenSource();
        TaskFactory f = Task.Factory;
        var started = new Gate("started");
        var go = new Gate("go");
        Task own = f.StartNew(() => { started.Open(); go.Wait(); Throw(s_mine.Token); }, s_mine.Token, TaskCreationOptions.None, TaskScheduler.Default);
        started.Wait();
        s_mine.Cancel();
        go.Open();
        Show("delegate, own canceled token", own);
        s_other.Cancel();
        Show("delegate, token of another", f.StartNew(() => Throw(s_other.Token), never.Token, TaskCreationOptions.None, TaskScheduler.Default));
        Show("delegate, no token given", f.StartNew(() => Throw(s_other.Token), CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default));
        Show("delegate, own token not canceled", f.StartNew(() => Throw(never.Token), never.Token, TaskCreationOptions.None, TaskScheduler.Default));
        Show("async method, canceled token", ThrowAsync(s_other.Token));
        Show("async method, token not canceled", ThrowAsync(never.Token));
        Show("Task.Run of async, canceled token", Task.Run(() => ThrowAsync(s_other.Token)));
        Show("Task.Run of action, no token given", Task.Run((Action)(() => Throw(s_other.Token))));
        Show("Task.Run of task-returning, thrown directly", Task.Run((Func<Task>)(() => { Throw(s_other.Token); return null; })));
        Show("Task.Run with a canceled token", Task.Run(() => Trace.Log("never"), s_other.Token));
        var a = new TaskCompletionSource<int>();
        a.SetCanceled();
        Show("source, SetCanceled", a.Task);
        var b = new TaskCompletionSource<int>();
        b.SetException(new OperationCanceledException(s_other.Token));
        Show("source, SetException of a cancellation", b.Task);
        Show("FromException of a cancellation", Task.FromException(new OperationCanceledException(s_other.Token)));
        Show("Task.Run returning null task", Task.Run((Func<Task>)(() => null)));
    }

    static int Main() { return Harness.Run(Body); }
}
