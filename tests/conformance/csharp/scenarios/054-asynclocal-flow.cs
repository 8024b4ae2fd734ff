// SPDX-License-Identifier: MIT
// 054-asynclocal-flow
// Ambient values flow down into calls and tasks, and across awaits; changes made below do not
// come back up out of an async method, but do out of an ordinary one.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S054
{
    static readonly AsyncLocal<string> s_value = new AsyncLocal<string>();

    static string V { get { return s_value.Value ?? "null"; } }

    static async Task ChildAsync(Task t)
    {
        Trace.Log("child sees " + V);
        s_value.Value = "child";
        await t;
        Trace.Log("child after await sees " + V);
        s_value.Value = "child 2";
    }

#pragma warning disable 1998
    static async Task SynchronousAsync() { s_value.Value = "synchronous"; }
#pragma warning restore 1998

    static void Ordinary() { s_value.Value = "ordinary"; }

    static async Task ParentAsync(Task t)
    {
        s_value.Value = "parent";
        Task c = ChildAsync(t);
        Trace.Log("parent after the call sees " + V);
        await c;
        Trace.Log("parent after await sees " + V);
        await SynchronousAsync();
        Trace.Log("after a synchronous async method: " + V);
        Ordinary();
        Trace.Log("after an ordinary method: " + V);
        Task r = Task.Run(() => { Trace.Log("in Task.Run: " + V); s_value.Value = "run"; });
        Harness.Finish(r, "run");
        await r;
        Trace.Log("after Task.Run: " + V);
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        s_value.Value = "main";
        Task p = ParentAsync(source.Task);
        Trace.Log("caller sees " + V);
        s_value.Value = "main 2";
        Worker.Run("worker", () =>
        {
            Trace.Log("new thread sees " + V);
            s_value.Value = "worker";
            source.SetResult(1);
            Trace.Log("completer still sees " + V);
        });
        Harness.Finish(p, "parent");
        Trace.Log("caller sees " + V);
    }

    static int Main() { return Harness.Run(Body); }
}
