// SPDX-License-Identifier: MIT
// 055-asynclocal-notifications
// Change notifications: for an assignment, and for every change of context that changes the value.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S055
{
    static readonly AsyncLocal<string> s_value = new AsyncLocal<string>(a =>
        Trace.Log("changed " + (a.PreviousValue ?? "null") + " to " + (a.CurrentValue ?? "null") + ", by a context switch: " + a.ThreadContextChanged));

    static async Task MethodAsync(Task t)
    {
        s_value.Value = "inside";
        Trace.Log("method: before await");
        await t;
        Trace.Log("method: after await");
    }

    static void Body()
    {
        var source = new TaskCompletionSource<int>();
        s_value.Value = "main";
        s_value.Value = "main";
        Trace.Log("calling");
        MethodAsync(source.Task).GetHashCode();
        Trace.Log("returned");
        Worker.Run("worker", () =>
        {
            Trace.Log("worker: sees " + s_value.Value);
            s_value.Value = null;
            Trace.Log("worker: completing");
            source.SetResult(1);
            Trace.Log("worker: completed");
        });
        ExecutionContext captured = ExecutionContext.Capture();
        s_value.Value = "later";
        Trace.Log("running in the captured context");
        ExecutionContext.Run(captured, _ => { Trace.Log("in it: " + s_value.Value); s_value.Value = "lost"; }, null);
        Trace.Log("back: " + s_value.Value);
    }

    static int Main() { return Harness.Run(Body); }
}
