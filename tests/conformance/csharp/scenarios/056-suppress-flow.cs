// SPDX-License-Identifier: MIT
// 056-suppress-flow
using System;
using System.Threading;
using System.Threading.Tasks;

static class S056
{
    static readonly AsyncLocal<string> s_value = new AsyncLocal<string>();

    static string V { get { return s_value.Value ?? "null"; } }

    static void Body()
    {
        s_value.Value = "main";
        Task t = Task.Run(() => Trace.Log("flowing: " + V));
        Harness.Finish(t, "t");
        AsyncFlowControl f = ExecutionContext.SuppressFlow();
        Trace.Log("suppressed: " + ExecutionContext.IsFlowSuppressed() + ", here: " + V);
        Trace.Log("capture gives nothing: " + (ExecutionContext.Capture() == null));
        Task u = Task.Run(() => Trace.Log("not flowing: " + V));
        Harness.Finish(u, "u");
        Worker.Run("worker", () => Trace.Log("new thread: " + V));
        Trace.Log("twice: " + Err.Of(() => ExecutionContext.SuppressFlow()));
        f.Undo();
        Trace.Log("suppressed: " + ExecutionContext.IsFlowSuppressed() + ", here: " + V);
        Task w = Task.Run(() => Trace.Log("flowing again: " + V));
        Harness.Finish(w, "w");
        var done = new Gate("done");
        ThreadPool.UnsafeQueueUserWorkItem(_ => { Trace.Log("unsafe queue: " + V); done.Open(); }, null);
        done.Wait();
        var done2 = new Gate("done2");
        ThreadPool.QueueUserWorkItem(_ => { Trace.Log("queue: " + V); done2.Open(); }, null);
        done2.Wait();
    }

    static int Main() { return Harness.Run(Body); }
}
