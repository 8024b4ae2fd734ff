// SPDX-License-Identifier: MIT
// 074-attached-children
// A parent with attached children completes after them, with their errors nested; Task.Run
// and DenyChildAttach refuse attachment.
using System;
using System.Threading;
using System.Threading.Tasks;

static class S074
{
    static Task Start(Action a, TaskCreationOptions o) { return Task.Factory.StartNew(a, CancellationToken.None, o, TaskScheduler.Default); }

    static void Body()
    {
        var go = new Gate("go");
        var bodyDone = new Gate("body done");
        Task parent = Start(() =>
        {
            Start(() => { go.Wait(); throw new TestError("child"); }, TaskCreationOptions.AttachedToParent);
            bodyDone.Open();
        }, TaskCreationOptions.None);
        bodyDone.Wait();
        while (parent.Status == TaskStatus.Running) Thread.Sleep(1);
        Trace.Log("parent: " + parent.Status);
        go.Open();
        Harness.Finish(parent, "parent");
        Trace.Log("parent: " + Harness.Describe(parent));

        var go2 = new Gate("go2");
        Task child2 = null;
        Task denying = Start(() => child2 = Start(() => { go2.Wait(); throw new TestError("child"); }, TaskCreationOptions.AttachedToParent),
            TaskCreationOptions.DenyChildAttach);
        Harness.Finish(denying, "denying");
        Trace.Log("denying: " + Harness.Describe(denying));
        go2.Open();
        Harness.Finish(child2, "child2");
        Trace.Log("its child: " + Harness.Describe(child2));

        var go3 = new Gate("go3");
        Task run = Task.Run(() => { Start(() => go3.Wait(), TaskCreationOptions.AttachedToParent); });
        Harness.Finish(run, "run");
        Trace.Log("run: " + run.Status);
        go3.Open();

        var go4 = new Gate("go4");
        Task detached = Start(() => { Start(() => go4.Wait(), TaskCreationOptions.None); }, TaskCreationOptions.None);
        Harness.Finish(detached, "detached");
        Trace.Log("with a detached child: " + detached.Status);
        go4.Open();
    }

    static int Main() { return Harness.Run(Body); }
}
