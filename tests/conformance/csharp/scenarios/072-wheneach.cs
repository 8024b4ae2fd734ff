// SPDX-License-Identifier: MIT
// 072-wheneach
// WhenEach gives the tasks in the order of completion, failed ones included, without throwing.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S072
{
    static async Task ConsumeAsync(Task<int>[] tasks, Gate[] seen)
    {
        int n = 0;
        await foreach (Task<int> t in Task.WhenEach(tasks))
        {
            Trace.Log("got task " + Array.IndexOf(tasks, t) + ": " + Harness.Describe(t));
            seen[n++].Open();
        }
        Trace.Log("end of the sequence");
    }

    static void Body()
    {
        var s = new TaskCompletionSource<int>[4];
        var tasks = new Task<int>[4];
        var seen = new Gate[4];
        for (int i = 0; i < 4; i++) { s[i] = new TaskCompletionSource<int>(); tasks[i] = s[i].Task; seen[i] = new Gate("seen " + i); }
        s[3].SetResult(3);
        Task c = ConsumeAsync(tasks, seen);
        seen[0].Wait();
        s[1].SetException(new TestError("1"));
        seen[1].Wait();
        s[2].SetCanceled();
        seen[2].Wait();
        s[0].SetResult(0);
        Harness.Finish(c, "consumer");
        Trace.Log(c.Status.ToString());
    }

    static int Main() { return Harness.Run(Body); }
}
