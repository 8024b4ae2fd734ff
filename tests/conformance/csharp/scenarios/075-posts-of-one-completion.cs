// SPDX-License-Identifier: MIT
// 075-posts-of-one-completion
// Several awaits of one task, all captured for the same context.  .NET queues all but
// the first before the first: the order of the posts is 1, 2, 0.
using System;
using System.Threading.Tasks;

static class S075
{
    static readonly TaskCompletionSource<int> s_source = new TaskCompletionSource<int>();

    static async Task WaitAsync(int i)
    {
        await s_source.Task;
        Trace.Log("awaiter " + i);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        ui.Context.LogPosts = false;
        Task all = null;
        ui.Run("start", () => all = Task.WhenAll(WaitAsync(0), WaitAsync(1), WaitAsync(2)));
        var hold = new Gate("hold");
        ui.Context.PostQuiet(_ => hold.Wait(), null);
        Worker.Run("worker", () => s_source.SetResult(1));
        Trace.Log("posts=" + ui.Context.Posts);
        hold.Open();
        Harness.Finish(all, "all");
    }

    static int Main() { return Harness.Run(Body); }
}
