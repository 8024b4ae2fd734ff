// SPDX-License-Identifier: MIT
// 046-async-void-operations
// OperationStarted and OperationCompleted bracket every async void method, on the context
// captured at the call, also when it completes on another thread or without suspending.
using System;
using System.Threading.Tasks;

static class S046
{
    static async void VoidAsync(string name, Task t)
    {
        Trace.Log(name + ": start");
        await t.ConfigureAwait(false);
        Trace.Log(name + ": end");
    }

    static async Task TaskAsync(Task t)
    {
        await t;
        Trace.Log("task: end");
    }

    static void Body()
    {
        UiThread ui = UiThread.Start();
        var source = new TaskCompletionSource<int>();
        ui.Run("calls", () =>
        {
            VoidAsync("one", source.Task);
            VoidAsync("two", Task.CompletedTask);
            TaskAsync(Task.CompletedTask).GetHashCode();                  // not counted
            Trace.Log("returned");
        });
        Worker.Run("worker", () => source.SetResult(1));
        Worker.Run("plain", () => VoidAsync("three", Task.CompletedTask));
    }

    static int Main() { return Harness.Run(Body); }
}
