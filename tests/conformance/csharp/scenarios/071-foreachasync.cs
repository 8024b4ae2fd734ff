// SPDX-License-Identifier: MIT
// 071-foreachasync
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

static class S071
{
    static void Body()
    {
        var one = new ParallelOptions { MaxDegreeOfParallelism = 1 };
        Task a = Parallel.ForEachAsync(new[] { 1, 2, 3 }, one, async (i, ct) =>
        {
            await Task.Yield();
            Trace.Log("item " + i + ", context=" + Who.Context);
        });
        Harness.Finish(a, "a");
        Trace.Log(a.Status.ToString());

        int inside = 0, most = 0, count = 0;
        var three = new ParallelOptions { MaxDegreeOfParallelism = 3 };
        var full = new Gate("three inside");
        Task b = Parallel.ForEachAsync(Numbers(30), three, async (i, ct) =>
        {
            int n = Interlocked.Increment(ref inside);
            int m;
            while ((m = Volatile.Read(ref most)) < n && Interlocked.CompareExchange(ref most, n, m) != m) { }
            if (n == 3) full.Open();
            if (i < 3) await Task.Run(() => full.Wait());
            else await Task.Yield();
            Interlocked.Decrement(ref inside);
            Interlocked.Increment(ref count);
        });
        Harness.Finish(b, "b");
        Trace.Log("all run: " + (count == 30) + ", the most at once: " + most);

        Task c = Parallel.ForEachAsync(Numbers(10), one, async (i, ct) =>
        {
            await Task.Yield();
            Trace.Log("item " + i);
            if (i == 2) throw new TestError("item 2");
        });
        Harness.Finish(c, "c");
        Trace.Log(Harness.Describe(c));

        var cts = new CancellationTokenSource();
        Task d = Parallel.ForEachAsync(Numbers(10), new ParallelOptions { MaxDegreeOfParallelism = 1, CancellationToken = cts.Token }, async (i, ct) =>
        {
            await Task.Yield();
            Trace.Log("item " + i + ", requested: " + ct.IsCancellationRequested);
            if (i == 1) { cts.Cancel(); Trace.Log("cancelled, requested: " + ct.IsCancellationRequested); }
        });
        Harness.Finish(d, "d");
        Trace.Log(Harness.Describe(d));
        Trace.Log("cancelled before: " + Parallel.ForEachAsync(Numbers(1), cts.Token, (i, ct) => default(ValueTask)).Status);
    }

    static IEnumerable<int> Numbers(int n) { for (int i = 0; i < n; i++) yield return i; }

    static int Main() { return Harness.Run(Body); }
}
