// SPDX-License-Identifier: MIT
// 047-unobserved-errors
// The error of a task that nobody looked at is reported when the task is collected; looking at
// it in any way, or awaiting it, prevents that.  A C port reports on the last release instead.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

static class S047
{
    static async Task FailAsync(string name)
    {
        await Task.CompletedTask;
        throw new TestError(name);
    }

    static async Task AwaitAsync(Task t) { try { await t; } catch (TestError) { } }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Make(int which)
    {
        if (which == 0) FailAsync("nobody looked").GetHashCode();
        if (which == 1) { Task t = FailAsync("looked at Exception"); if (t.Exception == null) Trace.Log("?"); }
        if (which == 2) { Task t = FailAsync("awaited"); AwaitAsync(t).Wait(); }
        if (which == 3) { Task t = FailAsync("only asked whether faulted"); if (!t.IsFaulted) Trace.Log("?"); }
        if (which == 4) { Task t = FailAsync("part of WhenAll, nobody looked"); Task.WhenAll(t).GetHashCode(); }
        if (which == 5) { var s = new TaskCompletionSource<int>(); s.SetCanceled(); }
        if (which == 6) { Task t = FailAsync("loser"); Task.WhenAny(Task.CompletedTask, t).Wait(); }
    }

    static void Body()
    {
        var seen = new List<string>();
        TaskScheduler.UnobservedTaskException += (s, a) =>
        {
            lock (seen) seen.Add(Err.Name(a.Exception) + ", sender is a task: " + (s is Task) + ", observed: " + a.Observed);
        };
        for (int i = 0; i <= 6; i++)
        {
            int which = i;
            for (int k = 0; k < 3; k++) Worker.Run("maker", () => { Make(which); Make(-1); });
            for (int k = 0; k < 4; k++) { GC.Collect(); GC.WaitForPendingFinalizers(); }
            lock (seen)
            {
                Trace.Log("case " + i + ": " + (seen.Count == 0 ? "not reported" : "reported " + seen[0]));
                seen.Clear();
            }
        }
    }

    static int Main() { return Harness.Run(Body); }
}
