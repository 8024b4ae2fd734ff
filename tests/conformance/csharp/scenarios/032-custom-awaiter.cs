// SPDX-License-Identifier: MIT
// 032-custom-awaiter
// What an async method calls on an awaiter, and in which order.
using System;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

static class S032
{
    static Action s_continuation;

    sealed class Plain : INotifyCompletion
    {
        public bool Done;
        public Plain GetAwaiter() { Trace.Log("plain.GetAwaiter"); return this; }
        public bool IsCompleted { get { Trace.Log("plain.IsCompleted=" + Done); return Done; } }
        public void OnCompleted(Action a) { Trace.Log("plain.OnCompleted"); s_continuation = a; }
        public int GetResult() { Trace.Log("plain.GetResult"); return 1; }
    }

    sealed class Critical : ICriticalNotifyCompletion
    {
        public Critical GetAwaiter() { Trace.Log("critical.GetAwaiter"); return this; }
        public bool IsCompleted { get { Trace.Log("critical.IsCompleted=False"); return false; } }
        public void OnCompleted(Action a) { Trace.Log("critical.OnCompleted"); s_continuation = a; }
        public void UnsafeOnCompleted(Action a) { Trace.Log("critical.UnsafeOnCompleted"); s_continuation = a; }
        public int GetResult() { Trace.Log("critical.GetResult"); throw new TestError("from the awaiter"); }
    }

    /// Resumes before OnCompleted returns: allowed, the method runs on inside it.
    sealed class Immediate : INotifyCompletion
    {
        public Immediate GetAwaiter() { return this; }
        public bool IsCompleted { get { return false; } }
        public void OnCompleted(Action a) { Trace.Log("immediate.OnCompleted in"); a(); Trace.Log("immediate.OnCompleted out"); }
        public void GetResult() { Trace.Log("immediate.GetResult"); }
    }

    static async Task<int> UseAsync()
    {
        int v = await new Plain { Done = true };
        Trace.Log("method: 1");
        v += await new Plain();
        Trace.Log("method: 2");
        try { v += await new Critical(); }
        catch (TestError e) { Trace.Log("method: caught " + Err.Name(e)); }
        await new Immediate();
        Trace.Log("method: end");
        return v;
    }

    static void Resume()
    {
        Action a = s_continuation;
        s_continuation = null;
        Trace.Log("resuming");
        a();
        Trace.Log("resumed");
    }

    static void Body()
    {
        Task<int> t = UseAsync();
        Trace.Log("returned, " + t.Status);
        Resume();
        Resume();
        Trace.Log(t.Status + " " + t.Result);
    }

    static int Main() { return Harness.Run(Body); }
}
