// SPDX-License-Identifier: MIT
// 063-valuetask-source
// A reusable completion source: versions, and what misuse gives.
using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;

static class S063
{
    sealed class Source : IValueTaskSource<int>
    {
        ManualResetValueTaskSourceCore<int> m_core;
        public short Version { get { return m_core.Version; } }
        public ValueTask<int> Task { get { return new ValueTask<int>(this, m_core.Version); } }
        public void SetResult(int v) { m_core.SetResult(v); }
        public void SetException(Exception e) { m_core.SetException(e); }
        public void Reset() { m_core.Reset(); }
        public int GetResult(short token) { return m_core.GetResult(token); }
        public ValueTaskSourceStatus GetStatus(short token) { return m_core.GetStatus(token); }
        public void OnCompleted(Action<object> c, object s, short token, ValueTaskSourceOnCompletedFlags f) { m_core.OnCompleted(c, s, token, f); }
    }

    static async Task<int> AwaitAsync(string name, ValueTask<int> v)
    {
        int r = await v;
        Trace.Log(name + ": resumed with " + r);
        return r;
    }

    static void Body()
    {
        var s = new Source();
        Trace.Log("version " + s.Version + ", " + s.GetStatus(0));
        ValueTask<int> v = s.Task;
        Trace.Log("GetResult before completion: " + Err.Of(() => s.GetResult(0)));
        Task<int> t = AwaitAsync("first", v);
        Trace.Log("a second continuation: " + Err.Of(() => s.OnCompleted(_ => Trace.Log("never"), null, 0, ValueTaskSourceOnCompletedFlags.None)));
        s.SetResult(5);
        Trace.Log("after SetResult: " + t.Status + " " + s.GetStatus(0));
        Trace.Log("GetResult again, same version: " + s.GetResult(0));
        Trace.Log("SetResult again: " + Err.Of(() => s.SetResult(6)));
        s.Reset();
        Trace.Log("version " + s.Version + ", " + s.GetStatus(1));
        Trace.Log("the old value task, IsCompleted: " + Err.Of(() => { bool b = v.IsCompleted; Trace.Log("" + b); }));
        Trace.Log("the old value task, Result: " + Err.Of(() => { int x = v.Result; Trace.Log("" + x); }));
        s.SetException(new TestError("e"));
        Trace.Log("status " + s.GetStatus(1));
        Trace.Log("await: " + Err.Of(() => AwaitAsync("second", s.Task).GetAwaiter().GetResult()));
        s.Reset();
        s.SetException(new OperationCanceledException());
        Trace.Log("status " + s.GetStatus(2) + ", canceled: " + s.Task.IsCanceled + ", faulted: " + s.Task.IsFaulted);
        s.Reset();
        Task<int> asTask = s.Task.AsTask();
        Trace.Log("AsTask: " + asTask.Status);
        s.SetResult(8);
        Trace.Log("AsTask: " + asTask.Status + " " + asTask.Result);
    }

    static int Main() { return Harness.Run(Body); }
}
