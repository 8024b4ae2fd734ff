// SPDX-License-Identifier: MIT
// 064-valuetask-source-context
// Unlike a task, a value task source always posts to a captured context, even when it is
// completed inside that same context.  Without a context it runs the continuation inline, and
// it does so even when the completing thread has a context (ConfigureAwait(false)).
using System;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;

static class S064
{
    sealed class Source : IValueTaskSource<int>
    {
        ManualResetValueTaskSourceCore<int> m_core;
        public Source(bool async) { m_core.RunContinuationsAsynchronously = async; }
        public ValueTask<int> Task { get { return new ValueTask<int>(this, m_core.Version); } }
        public void SetResult(int v) { m_core.SetResult(v); }
        public int GetResult(short token) { return m_core.GetResult(token); }
        public ValueTaskSourceStatus GetStatus(short token) { return m_core.GetStatus(token); }
        public void OnCompleted(Action<object> c, object s, short token, ValueTaskSourceOnCompletedFlags f) { m_core.OnCompleted(c, s, token, f); }
    }

    static async Task AwaitAsync(ValueTask<int> v, bool capture, Gate gate)
    {
        await v.ConfigureAwait(capture);
        if (gate != null && Who.Label == "pool") gate.Wait();
        Trace.Log("resumed, context=" + Who.Context);
    }

    static void Try(string what, bool capture, bool async)
    {
        Trace.Log(what);
        UiThread ui = UiThread.Start();
        var s = new Source(async);
        var gate = new Gate("gate");
        Task t = null;
        ui.Run("await", () => t = AwaitAsync(s.Task, capture, gate));
        ui.Run("complete", () => { s.SetResult(1); Trace.Log("after SetResult, " + t.Status); gate.Open(); });
        Harness.Finish(t, "t");
    }

    static void Body()
    {
        Try("captured", true, false);
        Try("not captured", false, false);
        Try("not captured, asynchronous", false, true);
    }

    static int Main() { return Harness.Run(Body); }
}
