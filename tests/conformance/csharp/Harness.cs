// SPDX-License-Identifier: MIT
// Tiny shared harness for the conformance scenarios.
// Plain C# 7, .NET 10 SDK, no packages.
//
// A trace line is "[who] text".  "who" is a stable label, never a thread id:
//   main    the thread that runs the scenario body (no synchronization context)
//   ui      a thread that runs a PumpContext message loop (any name may be given)
//   worker  a dedicated plain thread started through Worker (any name may be given)
//   pool    any thread of the thread pool
//   thread  any other thread (for example the one made for a LongRunning task)
//
// Scenarios must order their events by gates, never by sleeping, so that the trace is the
// same on every run.  Time is only used to conclude that nothing more happens (DEADLOCK).
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

/// Stable labels for threads.
public static class Who
{
    [ThreadStatic] static string t_label;

    public static string Label
    {
        get { return t_label ?? (Thread.CurrentThread.IsThreadPoolThread ? "pool" : "thread"); }
        set { t_label = value; }
    }

    /// Name of the current synchronization context: none, default (exactly the base type), or its own name.
    public static string Context
    {
        get
        {
            SynchronizationContext c = SynchronizationContext.Current;
            if (c == null) return "none";
            if (c.GetType() == typeof(SynchronizationContext)) return "default";
            INamed n = c as INamed;
            return n != null ? n.Name : "other";
        }
    }

    /// Name of TaskScheduler.Current.
    public static string Scheduler
    {
        get
        {
            TaskScheduler s = TaskScheduler.Current;
            if (s == TaskScheduler.Default) return "default";
            INamed n = s as INamed;
            return n != null ? n.Name : "other";
        }
    }
}

public interface INamed { string Name { get; } }

/// The event log.
public static class Trace
{
    static readonly object s_gate = new object();
    static bool s_closed;

    public static void Log(string text) { LogAs(Who.Label, text); }

    public static void LogAs(string who, string text)
    {
        lock (s_gate)
        {
            if (s_closed) return;
            Console.Out.Write("[" + who + "] " + text + "\n");
            Console.Out.Flush();
        }
    }

    internal static void Close() { lock (s_gate) s_closed = true; }
}

/// The only exception type thrown on purpose by scenarios.
public sealed class TestError : Exception
{
    public TestError(string message) : base(message) { }
}

/// Runtime-neutral names of errors.
public static class Err
{
    public static string Name(Exception e)
    {
        if (e == null) return "none";
        if (e is TestError) return "TestError(" + e.Message + ")";
        AggregateException agg = e as AggregateException;
        if (agg != null)
        {
            var sb = new StringBuilder("Aggregate[");
            for (int i = 0; i < agg.InnerExceptions.Count; i++)
            {
                if (i > 0) sb.Append(", ");
                sb.Append(Name(agg.InnerExceptions[i]));
            }
            return sb.Append("]").ToString();
        }
        if (e is OperationCanceledException) return "Canceled";
        if (e is TimeoutException) return "Timeout";
        if (e is ObjectDisposedException) return "ObjectDisposed";
        if (e is TaskSchedulerException) return "SchedulerError[" + Name(e.InnerException) + "]";
        if (e.GetType().Name == "ChannelClosedException")
            return e.InnerException == null ? "ChannelClosed" : "ChannelClosed[" + Name(e.InnerException) + "]";
        if (e is InvalidOperationException) return "InvalidOperation";
        if (e is ArgumentException) return "Argument";
        if (e is SemaphoreFullException) return "SemaphoreFull";
        return e.GetType().Name;
    }

    /// Runs the action and tells how it ended: "ok" or the name of the error.
    public static string Of(Action a)
    {
        try { a(); return "ok"; }
        catch (Exception e) { return Name(e); }
    }
}

public static class Harness
{
    /// How long nothing must happen before a blocked handler is called a deadlock.
    public static readonly int DeadlockMs = EnvInt("CONF_DEADLOCK_MS", 1200);
    /// How long a step that must happen may take before the scenario is called broken.
    public static readonly int StepMs = EnvInt("CONF_STEP_MS", 15000);

    static int EnvInt(string name, int dflt)
    {
        string v = Environment.GetEnvironmentVariable(name);
        int n;
        return v != null && int.TryParse(v, out n) ? n : dflt;
    }

    /// Runs a scenario body on the calling thread (label "main") and ends the process.
    public static int Run(Action body)
    {
        Who.Label = "main";
        AppDomain.CurrentDomain.UnhandledException += (s, a) =>
        {
            Trace.Log("UNHANDLED " + Err.Name(a.ExceptionObject as Exception));
            Exit(0);
        };
        var dog = new Thread(() =>
        {
            Thread.Sleep(StepMs * 2);
            Trace.LogAs("watchdog", "TIMEOUT");
            Exit(3);
        });
        dog.IsBackground = true;
        dog.Start();
        try { body(); }
        catch (Exception e) { Trace.Log("BODY FAILED " + e); Exit(2); }
        Trace.Log("end");
        Exit(0);
        return 0;
    }

    static void Exit(int code)
    {
        Trace.Close();
        Console.Out.Flush();
        Environment.Exit(code);
    }


    /// Waits for a task from a plain thread without letting it be inlined and without throwing.
    public static bool Wait(Task t) { return Wait(t, StepMs); }

    public static bool Wait(Task t, int ms)
    {
        return ((IAsyncResult)t).AsyncWaitHandle.WaitOne(ms);
    }

    /// Waits for a task that must complete; logs when it does not.
    public static void Finish(Task t, string what)
    {
        if (!Wait(t)) Trace.Log("STUCK " + what);
    }

    /// Waits for a task that may never complete; logs DEADLOCK when it does not.
    public static bool FinishOrDeadlock(Task t, string what)
    {
        if (Wait(t, DeadlockMs)) return true;
        Trace.Log("DEADLOCK " + what);
        return false;
    }

    /// "RanToCompletion", "Faulted TestError(x)", "Canceled", "WaitingForActivation", ...
    public static string Describe(Task t)
    {
        return t.IsFaulted ? "Faulted " + Err.Name(t.Exception) : t.Status.ToString();
    }
}

/// A one-shot gate that orders events between threads.
public sealed class Gate
{
    readonly ManualResetEvent m_event = new ManualResetEvent(false);
    readonly string m_name;
    public Gate(string name) { m_name = name; }
    public void Open() { m_event.Set(); }
    public bool IsOpen { get { return m_event.WaitOne(0); } }
    public void Wait()
    {
        if (!m_event.WaitOne(Harness.StepMs)) Trace.Log("GATE TIMEOUT " + m_name);
    }
    public bool Wait(int ms) { return m_event.WaitOne(ms); }
}

/// Dedicated plain threads (no context, not of the pool).
public static class Worker
{
    public static Thread Start(string label, Action a)
    {
        var t = new Thread(() => { Who.Label = label; a(); });
        t.IsBackground = true;
        t.Start();
        return t;
    }

    public static void Run(string label, Action a)
    {
        Thread t = Start(label, a);
        if (!t.Join(Harness.StepMs)) Trace.Log("STUCK worker " + label);
    }
}

/// A single-threaded message queue as a synchronization context, in the manner of a UI thread.
public sealed class PumpContext : SynchronizationContext, INamed
{
    sealed class Item { public SendOrPostCallback Callback; public object State; public Gate Done; }

    readonly string m_name;
    readonly object m_gate = new object();
    readonly Queue<Item> m_queue = new Queue<Item>();
    bool m_stopped;
    Thread m_thread;

    public bool LogPosts = true;
    public bool LogOperations = true;
    public int Posts;

    public PumpContext(string name) { m_name = name; }
    public string Name { get { return m_name; } }
    public int Pending { get { lock (m_gate) return m_queue.Count; } }
    public bool IsOwner { get { return Thread.CurrentThread == m_thread; } }

    public override void Post(SendOrPostCallback d, object state)
    {
        if (LogPosts) Trace.Log(m_name + ".post");
        Interlocked.Increment(ref Posts);
        PostQuiet(d, state);
    }

    public void PostQuiet(SendOrPostCallback d, object state) { Enqueue(new Item { Callback = d, State = state }); }

    void Enqueue(Item i)
    {
        lock (m_gate) { m_queue.Enqueue(i); Monitor.PulseAll(m_gate); }
    }

    public override void Send(SendOrPostCallback d, object state)
    {
        if (LogPosts) Trace.Log(m_name + ".send");
        if (IsOwner) { d(state); return; }
        var i = new Item { Callback = d, State = state, Done = new Gate("send") };
        Enqueue(i);
        i.Done.Wait(Timeout.Infinite);
    }

    public override void OperationStarted() { if (LogOperations) Trace.Log(m_name + ".operation started"); }
    public override void OperationCompleted() { if (LogOperations) Trace.Log(m_name + ".operation completed"); }
    public override SynchronizationContext CreateCopy() { return this; }

    public void Stop() { lock (m_gate) { m_stopped = true; Monitor.PulseAll(m_gate); } }

    /// The outer loop of the owning thread.
    public void Loop()
    {
        m_thread = Thread.CurrentThread;
        SetSynchronizationContext(this);
        while (RunOne(true)) { }
    }

    /// Runs messages until the condition holds: a nested message loop.
    public void PumpUntil(Task t)
    {
        t.ContinueWith(_ => { lock (m_gate) Monitor.PulseAll(m_gate); }, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!t.IsCompleted)
        {
            Item i = null;
            lock (m_gate)
            {
                if (m_queue.Count > 0) i = m_queue.Dequeue();
                else if (!t.IsCompleted) Monitor.Wait(m_gate, 50);
            }
            if (i != null) Execute(i);
        }
    }

    bool RunOne(bool block)
    {
        Item i;
        lock (m_gate)
        {
            while (m_queue.Count == 0)
            {
                if (m_stopped || !block) return false;
                Monitor.Wait(m_gate);
            }
            i = m_queue.Dequeue();
        }
        Execute(i);
        return true;
    }

    void Execute(Item i)
    {
        try { i.Callback(i.State); }
        catch (Exception e) { Trace.Log(m_name + ".unhandled " + Err.Name(e)); }
        finally
        {
            // A real UI loop re-installs its context for every message.
            SetSynchronizationContext(this);
            if (i.Done != null) i.Done.Open();
        }
    }
}

/// A thread that runs a PumpContext.
public sealed class UiThread
{
    public readonly PumpContext Context;

    UiThread(string name) { Context = new PumpContext(name); }

    public static UiThread Start() { return Start("ui"); }

    public static UiThread Start(string name)
    {
        var ui = new UiThread(name);
        var ready = new Gate("ui start");
        Worker.Start(name, () => { ui.Context.PostQuiet(_ => ready.Open(), null); ui.Context.Loop(); });
        ready.Wait();
        return ui;
    }

    /// Runs a handler on the thread; false, and a DEADLOCK line, when it does not come back.
    public bool Run(string what, Action handler)
    {
        var done = new Gate(what);
        Context.PostQuiet(_ => { try { handler(); } finally { done.Open(); } }, null);
        if (done.Wait(Harness.DeadlockMs)) return true;
        Trace.Log("DEADLOCK " + what + " pending=" + Context.Pending);
        return false;
    }

    /// Starts an async handler on the thread and waits (from outside) for its task.
    public bool RunAsync(string what, Func<Task> handler)
    {
        Task t = null;
        if (!Run(what, () => { t = handler(); })) return false;
        if (Harness.Wait(t, Harness.DeadlockMs)) return true;
        Trace.Log("DEADLOCK " + what + " pending=" + Context.Pending);
        return false;
    }

    /// Waits until everything queued so far has run.
    public void Drain()
    {
        var g = new Gate("drain");
        Context.PostQuiet(_ => g.Open(), null);
        g.Wait();
    }
}

/// A context in the manner of a classic ASP.NET request: any pool thread, but one at a time.
public sealed class RequestContext : SynchronizationContext, INamed
{
    readonly string m_name;
    readonly object m_gate = new object();
    readonly Queue<KeyValuePair<SendOrPostCallback, object>> m_queue = new Queue<KeyValuePair<SendOrPostCallback, object>>();
    bool m_busy;
    int m_inside;

    public bool LogPosts = true;
    /// The greatest number of threads ever seen inside at once.
    public int MaxInside;

    public RequestContext(string name) { m_name = name; }
    public string Name { get { return m_name; } }
    public int Pending { get { lock (m_gate) return m_queue.Count; } }

    public override void Post(SendOrPostCallback d, object state)
    {
        if (LogPosts) Trace.Log(m_name + ".post");
        PostQuiet(d, state);
    }

    void PostQuiet(SendOrPostCallback d, object state)
    {
        lock (m_gate)
        {
            m_queue.Enqueue(new KeyValuePair<SendOrPostCallback, object>(d, state));
            if (m_busy) return;
            m_busy = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(_ => DrainQueue(), null);
    }

    public override void Send(SendOrPostCallback d, object state)
    {
        if (Current == this) { d(state); return; }
        var g = new Gate("send");
        PostQuiet(s => { try { d(s); } finally { g.Open(); } }, state);
        g.Wait(Timeout.Infinite);
    }

    public override SynchronizationContext CreateCopy() { return this; }

    void DrainQueue()
    {
        for (;;)
        {
            KeyValuePair<SendOrPostCallback, object> i;
            lock (m_gate)
            {
                if (m_queue.Count == 0) { m_busy = false; return; }
                i = m_queue.Dequeue();
            }
            SynchronizationContext prev = Current;
            SetSynchronizationContext(this);
            int n = Interlocked.Increment(ref m_inside);
            if (n > MaxInside) MaxInside = n;
            try { i.Key(i.Value); }
            catch (Exception e) { Trace.Log(m_name + ".unhandled " + Err.Name(e)); }
            finally
            {
                Interlocked.Decrement(ref m_inside);
                SetSynchronizationContext(prev);
            }
        }
    }

    /// Runs a synchronous request; false, and a DEADLOCK line, when it does not come back.
    public bool Run(string what, Action handler)
    {
        var done = new Gate(what);
        PostQuiet(_ => { try { handler(); } finally { done.Open(); } }, null);
        if (done.Wait(Harness.DeadlockMs)) return true;
        Trace.Log("DEADLOCK " + what + " pending=" + Pending);
        return false;
    }

    /// Runs an async request.
    public bool RunAsync(string what, Func<Task> handler)
    {
        Task t = null;
        if (!Run(what, () => { t = handler(); })) return false;
        if (Harness.Wait(t, Harness.DeadlockMs)) return true;
        Trace.Log("DEADLOCK " + what + " pending=" + Pending);
        return false;
    }
}

/// A scheduler that only queues, logs, and runs when told to: for deterministic traces.
public sealed class ManualScheduler : TaskScheduler, INamed
{
    readonly string m_name;
    readonly LinkedList<Task> m_tasks = new LinkedList<Task>();
    public bool AllowInline;
    public bool LogCalls = true;
    public bool ThrowOnQueue;
    /// Opened when somebody asked for a task to be inlined.
    public readonly Gate InlineAsked = new Gate("inline asked");

    public ManualScheduler(string name) { m_name = name; }
    public string Name { get { return m_name; } }
    public int Pending { get { lock (m_tasks) return m_tasks.Count; } }

    protected override void QueueTask(Task task)
    {
        if (LogCalls) Trace.Log(m_name + ".queue");
        if (ThrowOnQueue) throw new TestError("queue refused");
        lock (m_tasks) m_tasks.AddLast(task);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        if (LogCalls) Trace.Log(m_name + ".inline? queued=" + taskWasPreviouslyQueued + " allowed=" + AllowInline);
        InlineAsked.Open();
        if (!AllowInline) return false;
        if (taskWasPreviouslyQueued && !TryDequeue(task)) return false;
        return TryExecuteTask(task);
    }

    protected override bool TryDequeue(Task task)
    {
        lock (m_tasks) return m_tasks.Remove(task);
    }

    protected override IEnumerable<Task> GetScheduledTasks() { lock (m_tasks) return new List<Task>(m_tasks); }

    /// Runs the oldest queued task on this thread.
    public bool RunOne()
    {
        Task t;
        lock (m_tasks)
        {
            if (m_tasks.Count == 0) return false;
            t = m_tasks.First.Value;
            m_tasks.RemoveFirst();
        }
        TryExecuteTask(t);
        return true;
    }

    public int RunAll()
    {
        int n = 0;
        while (RunOne()) n++;
        return n;
    }
}

/// A scheduler with one dedicated thread of its own.
public sealed class ThreadScheduler : TaskScheduler, INamed
{
    readonly string m_name;
    readonly Queue<Task> m_tasks = new Queue<Task>();
    public bool LogCalls;
    public bool AllowInlineOnOwnThread = true;
    [ThreadStatic] static ThreadScheduler t_running;

    public ThreadScheduler(string name)
    {
        m_name = name;
        Worker.Start(name, Loop);
    }

    public string Name { get { return m_name; } }
    public override int MaximumConcurrencyLevel { get { return 1; } }

    void Loop()
    {
        t_running = this;
        for (;;)
        {
            Task t;
            lock (m_tasks)
            {
                while (m_tasks.Count == 0) Monitor.Wait(m_tasks);
                t = m_tasks.Dequeue();
            }
            TryExecuteTask(t);
        }
    }

    protected override void QueueTask(Task task)
    {
        if (LogCalls) Trace.Log(m_name + ".queue");
        lock (m_tasks) { m_tasks.Enqueue(task); Monitor.PulseAll(m_tasks); }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        if (LogCalls) Trace.Log(m_name + ".inline? queued=" + taskWasPreviouslyQueued);
        return AllowInlineOnOwnThread && t_running == this && TryExecuteTask(task);
    }

    protected override IEnumerable<Task> GetScheduledTasks() { lock (m_tasks) return m_tasks.ToArray(); }
}

/// A scheduler with a fixed number of threads of its own and one queue; it never inlines.
public sealed class FixedScheduler : TaskScheduler, INamed
{
    readonly string m_name;
    readonly int m_count;
    readonly Queue<Task> m_tasks = new Queue<Task>();

    public FixedScheduler(string name, int threads)
    {
        m_name = name;
        m_count = threads;
        for (int i = 0; i < threads; i++) Worker.Start(name, Loop);
    }

    public string Name { get { return m_name; } }
    public override int MaximumConcurrencyLevel { get { return m_count; } }
    public int Pending { get { lock (m_tasks) return m_tasks.Count; } }

    void Loop()
    {
        for (;;)
        {
            Task t;
            lock (m_tasks)
            {
                while (m_tasks.Count == 0) Monitor.Wait(m_tasks);
                t = m_tasks.Dequeue();
            }
            TryExecuteTask(t);
        }
    }

    protected override void QueueTask(Task task)
    {
        lock (m_tasks) { m_tasks.Enqueue(task); Monitor.PulseAll(m_tasks); }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) { return false; }
    protected override IEnumerable<Task> GetScheduledTasks() { lock (m_tasks) return m_tasks.ToArray(); }
}

/// The thread pool, clamped so that starvation is a certainty and not a matter of time.
public static class Pool
{
    public static void Queue(Action a) { ThreadPool.UnsafeQueueUserWorkItem(_ => a(), null); }

    /// Makes the pool have exactly n worker threads at most, and returns n.
    public static int Clamp()
    {
        int n = Math.Max(2, Environment.ProcessorCount);
        int w, io;
        ThreadPool.GetMinThreads(out w, out io);
        ThreadPool.SetMinThreads(n, io);
        ThreadPool.GetMaxThreads(out w, out io);
        ThreadPool.SetMaxThreads(n, io);
        ThreadPool.GetMaxThreads(out w, out io);
        if (w != n) Trace.Log("CLAMP FAILED");
        return n;
    }

    /// Occupies n pool threads until the gate opens; returns once all n are running.
    public static void Occupy(int n, Gate release)
    {
        var all = new CountdownEvent(n);
        for (int i = 0; i < n; i++)
            Queue(() => { all.Signal(); release.Wait(Timeout.Infinite); });
        if (!all.Wait(Harness.StepMs)) Trace.Log("STUCK occupy");
    }
}
