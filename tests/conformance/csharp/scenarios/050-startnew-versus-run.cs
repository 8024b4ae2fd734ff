// SPDX-License-Identifier: MIT
// 050-startnew-versus-run
// StartNew and ContinueWith default to TaskScheduler.Current; Task.Run always uses the pool.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S050
{
    static void Body()
    {
        var sched = new ManualScheduler("sched");
        Task started = null, run = null, continued = null;
        Task.Factory.StartNew(() =>
        {
            Trace.Log("task: scheduler=" + Who.Scheduler);
            started = Task.Factory.StartNew(() => Trace.Log("StartNew: scheduler=" + Who.Scheduler));
            run = Task.Run(() => Trace.Log("Run: scheduler=" + Who.Scheduler));
            Harness.Finish(run, "run");
            continued = Task.CompletedTask.ContinueWith(_ => Trace.Log("ContinueWith: scheduler=" + Who.Scheduler));
        }, CancellationToken.None, TaskCreationOptions.None, sched);
        sched.RunOne();
        Trace.Log("pending=" + sched.Pending);
        sched.RunAll();
        Trace.Log(started.Status + " " + run.Status + " " + continued.Status);
        Trace.Log("outside a task: scheduler=" + Who.Scheduler);
        Task u = Task.Factory.StartNew(() => Trace.Log("StartNew from outside: scheduler=" + Who.Scheduler));
        Harness.Finish(u, "u");

        UiThread ui = UiThread.Start();
        Task v = null;
        ui.Run("handler", () => v = Task.Factory.StartNew(() => Trace.Log("StartNew from ui: context=" + Who.Context)));
        Harness.Finish(v, "v");
    }

    static int Main() { return Harness.Run(Body); }
}
