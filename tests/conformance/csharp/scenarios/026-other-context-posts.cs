// SPDX-License-Identifier: MIT
// 026-other-context-posts
// Completing in another context posts to the captured one.
using System;
using System.Threading.Tasks;

static class S026
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();
    static readonly Gate s_after = new Gate("after");

    static async Task WaitAsync()
    {
        await s_source.Task;
        s_after.Wait();
        Trace.Log("resumed, context=" + Who.Context);
    }

    static void Body()
    {
        UiThread one = UiThread.Start("one");
        UiThread two = UiThread.Start("two");
        Task t = null;
        one.Run("first", () => { t = WaitAsync(); });
        two.Run("second", () =>
        {
            Trace.Log("before SetResult");
            s_source.SetResult(1);
            Trace.Log("after SetResult");
            s_after.Open();
        });
        Harness.Finish(t, "t");
        Trace.Log("posts one=" + one.Context.Posts + " two=" + two.Context.Posts);
    }

    static int Main() { return Harness.Run(Body); }
}
