using System.Diagnostics;
using System.Globalization;

namespace Hyperlight.Tests.Integration;

/// <summary>Many calls that wait in an asynchronous host function at the same time.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class ParkedCallTests(TestTarget target)
{
    /// <summary>How many calls wait; 10,000 take about a minute and 1.5 GB of memory.</summary>
    public const string CountVariable = "HYPERLIGHT_TEST_PARKED_CALLS";

    private const int GuestThreadCount = 2;

    /// <summary>Threads that the runtime starts meanwhile, for the thread pool and the time limits.</summary>
    private const int OtherThreads = 30;

    [Test]
    public async Task Calls_that_wait_hold_no_more_threads_than_are_configured()
    {
        int count = Count();
        var threads = new GuestThreads(GuestThreadCount);
        var mayContinue = new TaskCompletionSource();
        int waiting = 0;
        SandboxBuilder builder = target.Builder().WithGuestThreads(threads).WithHostFunction("HostEchoInt", async (int x) =>
        {
            Interlocked.Increment(ref waiting);
            await mayContinue.Task;
            return x;
        });
        using MultiUseSandbox first = builder.Build();
        using Snapshot snapshot = first.TakeSnapshot();
        builder.WithSnapshot(snapshot);
        MultiUseSandbox[] sandboxes = [.. Enumerable.Range(0, count).Select(_ => builder.Build())];
        try
        {
            int threadsBefore = ThreadCount();
            Task<int>[] calls = [.. sandboxes.Select((sandbox, i) => sandbox.CallAsync<int>("RoundTripInt", i))];
            Assert.That(() => Volatile.Read(ref waiting), Is.EqualTo(count).After(60_000, 5), "all wait at the same time");

            Assert.That(threads.Count, Is.LessThanOrEqualTo(GuestThreadCount));
            Assert.That(ThreadCount() - threadsBefore, Is.LessThanOrEqualTo(GuestThreadCount + OtherThreads));
            Assert.That(calls.Count(call => call.IsCompleted), Is.Zero);

            mayContinue.SetResult();
            Assert.That(await Task.WhenAll(calls).WaitAsync(TimeSpan.FromMinutes(1)), Is.EqualTo(Enumerable.Range(0, count)));
        }
        finally
        {
            Array.ForEach(sandboxes, static sandbox => sandbox.Dispose());
        }
    }

    /// <summary>How many calls wait: as many as are asked for, or as the driver can have machines, less the one of the snapshot.</summary>
    private int Count()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable(CountVariable), CultureInfo.InvariantCulture, out int asked) ? asked : 200;
        if (target.MaximumMachines - 1 is var most && count > most)
        {
            TestContext.Progress.WriteLine($"{target.Driver}: {most} calls instead of {count}, because it has at most {target.MaximumMachines} machines (docs/drivers.md)");
            return most;
        }

        return count;
    }

    private static int ThreadCount()
    {
        if (OperatingSystem.IsLinux())
        {
            // Linux from 6.14 on lists a thread of the kernel for each machine of KVM, which has no stack in this process.
            return Directory.EnumerateDirectories("/proc/self/task").Count(static task => !NameOf(task).StartsWith("kvm-", StringComparison.Ordinal));
        }

        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm"));
        }
        catch (IOException)
        {
            // The thread has ended meanwhile.
            return string.Empty;
        }
    }
}
