// SPDX-License-Identifier: MIT
// 033-hand-written-state-machine
// The lowered form of an async method, written by hand against the public builder.
using System;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

static class S033
{
    struct Machine : IAsyncStateMachine
    {
        public int State;
        public AsyncTaskMethodBuilder<int> Builder;
        public Task<int> First, Second;
        TaskAwaiter<int> m_awaiter;
        int m_sum;

        public void MoveNext()
        {
            Trace.Log("MoveNext, state " + State);
            try
            {
                if (State == -1)
                {
                    m_awaiter = First.GetAwaiter();
                    if (!m_awaiter.IsCompleted)
                    {
                        State = 0;
                        Builder.AwaitUnsafeOnCompleted(ref m_awaiter, ref this);
                        return;
                    }
                    State = 0;
                }
                if (State == 0)
                {
                    State = -1;
                    m_sum = m_awaiter.GetResult();
                    Trace.Log("first gave " + m_sum);
                    m_awaiter = Second.GetAwaiter();
                    if (!m_awaiter.IsCompleted)
                    {
                        State = 1;
                        Builder.AwaitUnsafeOnCompleted(ref m_awaiter, ref this);
                        return;
                    }
                }
                State = -1;
                m_sum += m_awaiter.GetResult();
                Trace.Log("sum is " + m_sum);
            }
            catch (Exception e)
            {
                State = -2;
                Builder.SetException(e);
                return;
            }
            State = -2;
            Builder.SetResult(m_sum);
        }

        public void SetStateMachine(IAsyncStateMachine m) { Builder.SetStateMachine(m); }
    }

    static Task<int> AddAsync(Task<int> first, Task<int> second)
    {
        var m = new Machine { State = -1, First = first, Second = second, Builder = AsyncTaskMethodBuilder<int>.Create() };
        m.Builder.Start(ref m);
        return m.Builder.Task;
    }

    static void Body()
    {
        Task<int> t = AddAsync(Task.FromResult(1), Task.FromResult(2));
        Trace.Log("synchronous: " + t.Status + " " + t.Result);

        var a = new TaskCompletionSource<int>();
        var b = new TaskCompletionSource<int>();
        t = AddAsync(a.Task, b.Task);
        Trace.Log("started: " + t.Status);
        a.SetResult(10);
        Trace.Log("between: " + t.Status);
        b.SetResult(20);
        Trace.Log("done: " + t.Status + " " + t.Result);

        var c = new TaskCompletionSource<int>();
        t = AddAsync(c.Task, Task.FromResult(1));
        c.SetException(new TestError("c"));
        Trace.Log("faulted: " + Harness.Describe(t));
    }

    static int Main() { return Harness.Run(Body); }
}
