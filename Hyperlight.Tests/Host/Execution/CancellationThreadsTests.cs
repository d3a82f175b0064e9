using Hyperlight.Host.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>Many calls are ended at the same time, each with a callback of the application.</summary>
[TestFixture]
internal sealed class CancellationThreadsTests
{
    private const int Count = 10 * CancellationThreads.MaximumCount;

    [Test]
    public void Callbacks_that_wait_hold_a_limited_number_of_threads_and_the_thread_pool_runs_the_others()
    {
        using var mayEnd = new ManualResetEventSlim();
        using var othersEnded = new CountdownEvent(Count - CancellationThreads.MaximumCount);
        using var allEnded = new CountdownEvent(Count);
        int started = 0;
        var threads = new CancellationThreads { StartThread = thread => { started++; thread.UnsafeStart(); } };

        for (int i = 0; i < Count; i++)
        {
            var source = new HostFunctionTokenSource((ulong)i) { Threads = threads };
            source.Token.UnsafeRegister(
                _ =>
                {
                    if (Thread.CurrentThread.IsThreadPoolThread)
                    {
                        othersEnded.Signal();
                    }
                    else
                    {
                        mayEnd.Wait();
                    }

                    allEnded.Signal();
                },
                null);
            source.CancelOnOtherThread(NullLogger.Instance);
        }

        Assert.That(othersEnded.Wait(TestTime.Patience), "the thread pool cancels the others");
        Assert.That(started, Is.EqualTo(CancellationThreads.MaximumCount));
        mayEnd.Set();
        Assert.That(allEnded.Wait(TestTime.Patience));
    }

    [Test]
    public void Threads_that_have_ended_are_not_counted()
    {
        int started = 0;
        var threads = new CancellationThreads
        {
            StartThread = thread =>
            {
                started++;
                thread.UnsafeStart();
                thread.Join();
            },
        };

        for (int i = 0; i < Count; i++)
        {
            threads.Run(static () => { });
        }

        Assert.That(started, Is.EqualTo(Count));
    }
}
