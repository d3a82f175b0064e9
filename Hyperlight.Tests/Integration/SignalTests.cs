using System.Diagnostics;
using System.Globalization;

namespace Hyperlight.Tests.Integration;

/// <summary>A thread that runs guests keeps the signals it had, and child processes inherit nothing of a guest's run.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
[Platform("Linux", Reason = "Reads signal masks from /proc.")]
internal sealed class SignalTests(TestTarget target)
{
    private const string Field = "SigBlk:";

    [Test]
    public void A_call_and_its_host_functions_leave_the_threads_signals_alone()
    {
        ulong before = BlockedIn(File.ReadAllText("/proc/thread-self/status"));
        ulong inHostFunction = ulong.MaxValue;
        using MultiUseSandbox sandbox = target.Builder().Build();
        sandbox.WithHostFunction("HostEchoInt", (int x) =>
        {
            inHostFunction = BlockedIn(File.ReadAllText("/proc/thread-self/status"));
            return x;
        });

        Assert.That(sandbox.Call<int>("RoundTripInt", 5), Is.EqualTo(5));
        Assert.That(inHostFunction, Is.EqualTo(before), "in a host function");
        Assert.That(BlockedIn(File.ReadAllText("/proc/thread-self/status")), Is.EqualTo(before), "after a call");

        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        Assert.That(() => sandbox.Call("SpinForever", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(BlockedIn(File.ReadAllText("/proc/thread-self/status")), Is.EqualTo(before), "after a cancellation");
    }

    [Test]
    public void A_child_process_inherits_no_blocked_signal()
    {
        ulong before = BlockedInChild();
        using MultiUseSandbox sandbox = target.Builder().Build();
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));

        Assert.That(BlockedInChild(), Is.EqualTo(before));
    }

    private static ulong BlockedInChild()
    {
        using Process child = Process.Start(new ProcessStartInfo("cat", ["/proc/self/status"]) { RedirectStandardOutput = true })!;
        string status = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return BlockedIn(status);
    }

    private static ulong BlockedIn(string status)
    {
        string line = status.Split('\n').First(l => l.StartsWith(Field, StringComparison.Ordinal));
        return ulong.Parse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
