using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>Where lives take place: a kernel with two files on it, and a guest for it.</summary>
internal sealed record KernelScene(
    Func<ILinuxKernel> NewKernel, Func<IHypervisor, SandboxBuilder> NewBuilder, string FirstFile, string SecondFile)
{
    /// <summary>The driver of the kernel.</summary>
    public Func<ILinuxKernel, IHypervisor> NewHypervisor { get; init; } = static kernel => new KvmHypervisor(kernel);
}

/// <summary>
/// Sandboxes on a kernel of which one call fails. Whatever fails, the sandboxes must be what they say they are, use the
/// memory slots that they say they use, and leave nothing behind.
/// </summary>
internal sealed class SandboxLife : IDisposable
{
    /// <summary>Image and scratch memory.</summary>
    private const int OwnSlots = 2;

    private readonly AccountingKernel _account;
    private readonly IHypervisor _hypervisor;
    private readonly Func<IHypervisor, SandboxBuilder> _newBuilder;
    private readonly RecordingLoggers _loggers = new(LogLevel.Warning);
    private readonly List<MultiUseSandbox> _sandboxes = [];

    private SandboxLife(FailingKernel kernel, AccountingKernel account, KernelScene scene)
    {
        _account = account;
        _hypervisor = scene.NewHypervisor(kernel);
        _newBuilder = scene.NewBuilder;
        FirstFile = scene.FirstFile;
        SecondFile = scene.SecondFile;
    }

    public string FirstFile { get; }

    public string SecondFile { get; }

    /// <summary>The snapshot that the sandboxes can be restored to, once there is one.</summary>
    public Snapshot? Snapshot { get; private set; }

    /// <summary>Lives a life once for each of its kernel calls, which fails then, and asserts what must hold after it.</summary>
    /// <param name="name">The life.</param>
    /// <param name="scene">Where it takes place.</param>
    /// <param name="skipsRows">
    /// Whether of equal calls in a row only the first and the last fail: a vCPU is asked for each of some sixty registers.
    /// </param>
    public static void FailEachCall(string name, KernelScene scene, bool skipsRows = false)
    {
        Action<SandboxLife> live = SandboxLives.All[name];

        // The first life warms up, and the second says how many calls there are.
        Live(live, scene, 0);
        IReadOnlyList<string> calls = Live(live, scene, 0).Names;
        var failed = new List<string>();
        for (int n = 1; n <= calls.Count; n++)
        {
            if (skipsRows && IsInsideRow(calls, n - 1))
            {
                continue;
            }

            FailingKernel kernel = Live(live, scene, n);
            Assert.That(kernel.FailedCall, Is.Not.Null, $"call {n} of {calls.Count} was reached");
            failed.Add(kernel.FailedCall!);
        }

        TestContext.Progress.WriteLine(
            $"{TestContext.CurrentContext.Test.Name}: {failed.Count} of {calls.Count} kernel calls failed in turn: "
            + string.Join(", ", failed.CountBy(f => f).Select(c => $"{c.Key} x{c.Value}")));
    }

    /// <summary>What a guest finds at the beginning of a file.</summary>
    public static ulong FirstWord(string file) => BitConverter.ToUInt64(FileContent(file));

    /// <summary>What the file is to contain.</summary>
    public static byte[] FileContent(string file) => Encoding.UTF8.GetBytes($"{Path.GetFileName(file)} is mapped into a guest");

    public SandboxBuilder Builder() => _newBuilder(_hypervisor).WithLogging(_loggers);

    /// <summary>Takes a sandbox into the life.</summary>
    public MultiUseSandbox Add(MultiUseSandbox sandbox)
    {
        _sandboxes.Add(sandbox);
        AssertSlots();
        return sandbox;
    }

    public void TakeSnapshot(MultiUseSandbox sandbox) => Snapshot = sandbox.TakeSnapshot();

    /// <summary>Does something to the sandboxes. If it fails, they must still work, after a restore if they are poisoned.</summary>
    public void Step(Action action)
    {
        try
        {
            action();
            AssertSlots();
        }
        catch (HyperlightException)
        {
            AssertUsable();
            throw;
        }
    }

    public void Dispose()
    {
        // Each of these may be the call that fails, and the others must be made nevertheless.
        using ((IDisposable)_hypervisor)
        using (Snapshot)
        {
            DisposeSandboxes(0);
        }
    }

    private static FailingKernel Live(Action<SandboxLife> live, KernelScene scene, int failAt)
    {
        var account = new AccountingKernel(scene.NewKernel());
        var kernel = new FailingKernel(account, failAt);
        List<Exception> failures = LiveToTheEnd(live, new SandboxLife(kernel, account, scene));
        string what = $"call {failAt}, {kernel.FailedCall}: {string.Join(' ', failures.Select(f => f.Message))}";

        // Memory that cannot be given back is overwritten: no failure at all.
        int expected = kernel.FailedCall is null or "madvise" ? 0 : 1;
        Assert.That(failures, Has.Count.EqualTo(expected).And.All.Matches<Exception>(f => IsTyped(f, kernel.FailedCall!)), what);
        Assert.That(
            (account.Descriptors, account.Mappings, account.Slots), Is.EqualTo((0, 0, 0)), $"descriptors, mappings and slots after {what}");
        return kernel;
    }

    /// <summary>What was thrown or logged in a whole life.</summary>
    private static List<Exception> LiveToTheEnd(Action<SandboxLife> live, SandboxLife life)
    {
        var failures = new List<Exception>();
        try
        {
            using (life)
            {
                live(life);
            }
        }
        catch (HyperlightException exception)
        {
            failures.Add(exception);
        }

        failures.AddRange(life._loggers.Library.Select(r => r.Exception).OfType<Exception>().Except(failures));
        return failures;
    }

    private static bool IsInsideRow(IReadOnlyList<string> calls, int index) =>
        index > 0 && index < calls.Count - 1 && calls[index - 1] == calls[index] && calls[index + 1] == calls[index];

    private static bool IsTyped(Exception? failure, string call) => failure
        is HypervisorException or HypervisorNotAvailableException or SnapshotException
        && failure.Message.Contains(call, StringComparison.Ordinal);

    private void DisposeSandboxes(int first)
    {
        if (first < _sandboxes.Count)
        {
            using (_sandboxes[first])
            {
                DisposeSandboxes(first + 1);
            }
        }
    }

    private void AssertUsable()
    {
        foreach (MultiUseSandbox sandbox in _sandboxes)
        {
            if (sandbox.Status == SandboxStatus.Poisoned)
            {
                if (Snapshot is null)
                {
                    continue;
                }

                sandbox.Restore(Snapshot);
            }

            Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
        }

        AssertSlots();
    }

    private void AssertSlots() =>
        Assert.That(_account.Slots, Is.EqualTo(_sandboxes.Sum(s => OwnSlots + s.Mappings.Count)), "memory slots in use");
}
