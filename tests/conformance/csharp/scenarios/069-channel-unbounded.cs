// SPDX-License-Identifier: MIT
// 069-channel-unbounded
using System;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Channels;

static class S069
{
    static async Task ReadAsync(string name, ChannelReader<int> r, Gate after)
    {
        try
        {
            int v = await r.ReadAsync();
            if (Who.Label == "pool") after.Wait();
            Trace.Log(name + ": read " + v);
        }
        catch (Exception e) { Trace.Log(name + ": " + Err.Name(e)); }
    }

    static void Body()
    {
        var open = new Gate("open");
        open.Open();
        Channel<int> c = Channel.CreateUnbounded<int>();
        Trace.Log("TryRead of empty: " + c.Reader.TryRead(out int none));
        Trace.Log("TryWrite: " + c.Writer.TryWrite(1) + " " + c.Writer.TryWrite(2));
        ValueTask<int> v = c.Reader.ReadAsync();
        Trace.Log("ReadAsync of a full one: " + v.IsCompletedSuccessfully + " " + v.Result);
        Trace.Log("WaitToReadAsync: " + c.Reader.WaitToReadAsync().IsCompleted);
        Trace.Log("TryRead: " + c.Reader.TryRead(out int two) + " " + two);

        var after = new Gate("after");
        Task r = ReadAsync("reader", c.Reader, after);
        Worker.Run("worker", () => { Trace.Log("writing: " + c.Writer.TryWrite(3)); Trace.Log("after the write"); after.Open(); });
        Harness.Finish(r, "r");

        Task a = ReadAsync("first reader", c.Reader, open);
        Task b = ReadAsync("second reader", c.Reader, open);
        c.Writer.TryWrite(4);
        Harness.Finish(a, "a");
        c.Writer.TryWrite(5);
        Harness.Finish(b, "b");

        var cts = new CancellationTokenSource();
        Task<int> x = c.Reader.ReadAsync(cts.Token).AsTask();
        cts.Cancel();
        Harness.Finish(x, "x");
        Trace.Log("cancelled read: " + x.Status);

        c.Writer.TryWrite(6);
        c.Writer.Complete();
        Trace.Log("completion with an item left: " + c.Reader.Completion.Status);
        Trace.Log("write after completion: " + c.Writer.TryWrite(7) + ", WriteAsync: " + Err.Of(() => c.Writer.WriteAsync(7).AsTask().GetAwaiter().GetResult()));
        Trace.Log("Complete again: " + c.Writer.TryComplete() + " " + Err.Of(() => c.Writer.Complete()));
        Trace.Log("last item: " + c.Reader.ReadAsync().AsTask().Result);
        Harness.Finish(c.Reader.Completion, "completion");
        Trace.Log("completion: " + c.Reader.Completion.Status);
        Trace.Log("WaitToReadAsync: " + c.Reader.WaitToReadAsync().AsTask().Result);
        Trace.Log("read of a completed one: " + Err.Of(() => c.Reader.ReadAsync().AsTask().GetAwaiter().GetResult()));

        Channel<int> d = Channel.CreateUnbounded<int>();
        Task e = ReadAsync("reader", d.Reader, open);
        d.Writer.Complete(new TestError("broken"));
        Harness.Finish(e, "e");
        Trace.Log("completion: " + Harness.Describe(d.Reader.Completion));
        Trace.Log("WaitToReadAsync: " + Err.Of(() => d.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()));
    }

    static int Main() { return Harness.Run(Body); }
}
