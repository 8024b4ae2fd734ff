// SPDX-License-Identifier: MIT
// The seven measurements of bench/model.c, on .NET: {"key":{"ns":..,"bytes":..},...}, the best of several rounds, after as many as the
// compiler's tiers need. Bytes are what the garbage collector has handed out, on all threads.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;

static class Model
{
    // One thread's queue, as a synchronization context: what an await gives way to, and what is posted to.
    sealed class Loop : SynchronizationContext
    {
        readonly Queue<(SendOrPostCallback, object)> _queue = new Queue<(SendOrPostCallback, object)>();
        public override void Post(SendOrPostCallback d, object state) { lock (_queue) _queue.Enqueue((d, state)); }
        public bool Step()
        {
            (SendOrPostCallback, object) item;
            lock (_queue) { if (!_queue.TryDequeue(out item)) return false; }
            item.Item1(item.Item2);
            return true;
        }
        public void RunUntil(Task task)
        {
            while (!task.IsCompleted) Step();
            task.GetAwaiter().GetResult();
        }
    }

    static volatile int s_opaque;
    static int s_sum;

    static async Task<int> Leaf() { return 70000 + s_opaque; } // not one of the results that are kept complete
    static async Task Wait(Task task) { await task; }
    static async Task Completed(int n) { Task<int> done = Leaf(); for (int i = 0; i < n; i++) await done; }
    static async Task Yields(int n) { for (int i = 0; i < n; i++) await Task.Yield(); }
    static async Task Calls(int n) { for (int i = 0; i < n; i++) s_sum += await Leaf(); }
    static async Task Rounds(int n)
    {
        for (int i = 0; i < n; i++)
        {
            var source = new TaskCompletionSource();
            Task waiter = Wait(source.Task);
            source.SetResult();
            await waiter;
        }
    }
    static async Task Pool(int n) { for (int i = 0; i < n; i++) await Task.Run(static () => { }).ConfigureAwait(false); }

    static void Posts(int n)
    {
        var loop = new Loop();
        for (int done = 0; done < n; done += 1000)
        {
            for (int k = 0; k < 1000; k++) loop.Post(static _ => s_sum++, null);
            while (loop.Step()) { }
        }
    }

    static void Registrations(int n)
    {
        using var source = new CancellationTokenSource();
        for (int i = 0; i < n; i++) source.Token.Register(static () => { }).Dispose();
    }

    static string Measure(string key, int n, Action<int> run)
    {
        double best = double.MaxValue, bytes = double.MaxValue;
        for (int round = 0; round < 14; round++)
        {
            long before = GC.GetTotalAllocatedBytes(true), start = Stopwatch.GetTimestamp();
            run(n);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / n);
            bytes = Math.Min(bytes, (double)(GC.GetTotalAllocatedBytes(true) - before) / n);
            Thread.Sleep(60); // the better code of the next tier is made in the background
        }
        return string.Format(CultureInfo.InvariantCulture, "\"{0}\":{{\"ns\":{1:F1},\"bytes\":{2:F1}}}", key, best, bytes);
    }

    static void Main()
    {
        var loop = new Loop();
        SynchronizationContext.SetSynchronizationContext(loop);
        var rows = new List<string>
        {
            Measure("await_completed", 1000000, n => Completed(n).Wait()),
            Measure("suspend_resume", 500000, n => loop.RunUntil(Yields(n))),
            Measure("call_synchronous", 1000000, n => Calls(n).Wait()),
            Measure("task_round", 300000, n => Rounds(n).Wait()),
            Measure("post", 500000, Posts),
            Measure("run_on_pool", 50000, n => Task.Run(() => Pool(n)).Wait()),
            Measure("registration", 1000000, Registrations),
        };
        Console.WriteLine("{" + string.Join(",", rows) + "}");
    }
}
