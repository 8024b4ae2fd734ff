// SPDX-License-Identifier: MIT
// 043-source-first-wins
using System;
using System.Threading;
using System.Threading.Tasks;

static class S043
{
    static void Body()
    {
        var a = new TaskCompletionSource<int>();
        Trace.Log("TrySetResult: " + a.TrySetResult(1));
        Trace.Log("TrySetResult: " + a.TrySetResult(2));
        Trace.Log("TrySetException: " + a.TrySetException(new TestError("late")));
        Trace.Log("TrySetCanceled: " + a.TrySetCanceled());
        Trace.Log("SetResult: " + Err.Of(() => a.SetResult(3)));
        Trace.Log("SetException: " + Err.Of(() => a.SetException(new TestError("late"))));
        Trace.Log("SetCanceled: " + Err.Of(() => a.SetCanceled()));
        Trace.Log("result " + a.Task.Result);

        var b = new TaskCompletionSource<int>("state", TaskCreationOptions.RunContinuationsAsynchronously);
        Trace.Log("state: " + b.Task.AsyncState + ", options: " + b.Task.CreationOptions);
        Trace.Log("SetException(null): " + Err.Of(() => b.SetException((Exception)null)));
        Trace.Log("SetException of none: " + Err.Of(() => b.SetException(new Exception[0])));
        Trace.Log("still " + b.Task.Status);
        Trace.Log("bad options: " + Err.Of(() => new TaskCompletionSource<int>(TaskCreationOptions.LongRunning)));
        var cts = new CancellationTokenSource();
        Trace.Log("TrySetCanceled(token): " + b.TrySetCanceled(cts.Token) + " " + b.Task.Status);
    }

    static int Main() { return Harness.Run(Body); }
}
