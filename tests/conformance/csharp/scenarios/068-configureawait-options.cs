// SPDX-License-Identifier: MIT
// 068-configureawait-options
using System;
using System.Threading.Tasks;

static class S068
{
    static async Task ForceAsync(string name, ConfigureAwaitOptions o, Gate gate)
    {
        await Task.CompletedTask.ConfigureAwait(o);
        gate.Wait();
        Trace.Log(name + ": resumed on " + Who.Label + ", context=" + Who.Context);
    }

    static async Task SuppressAsync(string name, Task t)
    {
        await t.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Trace.Log(name + ": no error thrown, " + t.Status);
    }

    static void OnUi(UiThread ui, string name, ConfigureAwaitOptions o)
    {
        var gate = new Gate("gate");
        Task t = null;
        if (o == ConfigureAwaitOptions.None || o == ConfigureAwaitOptions.ContinueOnCapturedContext) gate.Open();
        ui.Run(name, () => { t = ForceAsync(name, o, gate); Trace.Log(name + ": returned, " + t.Status); gate.Open(); });
        Harness.Finish(t, name);
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        OnUi(ui, "none", ConfigureAwaitOptions.None);
        OnUi(ui, "captured", ConfigureAwaitOptions.ContinueOnCapturedContext);
        OnUi(ui, "force", ConfigureAwaitOptions.ForceYielding);
        OnUi(ui, "force captured", ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.ContinueOnCapturedContext);

        Harness.Finish(SuppressAsync("faulted", Task.FromException(new TestError("x"))), "s");
        Harness.Finish(SuppressAsync("canceled", Task.FromCanceled(new System.Threading.CancellationToken(true))), "s");
        var source = new TaskCompletionSource<int>();
        Task p = SuppressAsync("pending", source.Task);
        source.SetException(new TestError("y"));
        Harness.Finish(p, "p");
        Trace.Log("suppressing on a task with a result: " + Err.Of(() => source.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing)));
        Trace.Log("unknown option: " + Err.Of(() => p.ConfigureAwait((ConfigureAwaitOptions)64)));
    }

    static int Main() { return Harness.Run(Body); }
}
