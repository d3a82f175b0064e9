using System.Text;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Sandboxes on a hypervisor of which one call fails. Whatever fails, the sandboxes must be what they say they are, use the
/// memory slots that they say they use, and leave nothing behind.
/// </summary>
internal sealed class SandboxLife : IDisposable
{
    /// <summary>Image and scratch memory.</summary>
    private const int OwnSlots = 2;

    private readonly LifePlatform _platform;
    private readonly LifeScene _scene;
    private readonly RecordingLoggers _loggers = new(LogLevel.Warning);
    private readonly List<MultiUseSandbox> _sandboxes = [];

    private SandboxLife(LifePlatform platform, LifeScene scene)
    {
        _platform = platform;
        _scene = scene;
    }

    public string FirstFile => _scene.FirstFile;

    public string SecondFile => _scene.SecondFile;

    /// <summary>The snapshot that the sandboxes can be restored to, once there is one.</summary>
    public Snapshot? Snapshot { get; private set; }

    /// <summary>Lives a life once for each call of the hypervisor, which fails then, and asserts what must hold after it.</summary>
    /// <param name="name">The life.</param>
    /// <param name="scene">Where it takes place.</param>
    /// <param name="skipsRows">
    /// Whether of equal calls in a row only the first and the last fail: a vCPU is asked for each of some sixty registers.
    /// </param>
    public static void FailEachCall(string name, LifeScene scene, bool skipsRows = false)
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

            LifePlatform platform = Live(live, scene, n);
            Assert.That(platform.FailedCall, Is.Not.Null, $"call {n} of {calls.Count} was reached");
            failed.Add(platform.FailedCall!);
        }

        TestContext.Progress.WriteLine(
            $"{TestContext.CurrentContext.Test.Name}: {failed.Count} of {calls.Count} calls failed in turn: "
            + string.Join(", ", failed.CountBy(f => f).Select(c => $"{c.Key} x{c.Value}")));
    }

    /// <summary>What a guest finds at the beginning of a file.</summary>
    public static ulong FirstWord(string file) => BitConverter.ToUInt64(FileContent(file));

    /// <summary>What the file is to contain.</summary>
    public static byte[] FileContent(string file) => Encoding.UTF8.GetBytes($"{Path.GetFileName(file)} is mapped into a guest");

    public SandboxBuilder Builder() => _scene.NewBuilder(_platform.Hypervisor).WithLogging(_loggers);

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
        using ((IDisposable)_platform.Hypervisor)
        using (Snapshot)
        {
            DisposeSandboxes(0);
        }
    }

    private static LifePlatform Live(Action<SandboxLife> live, LifeScene scene, int failAt)
    {
        LifePlatform platform = scene.NewPlatform(failAt);
        List<Exception> failures = LiveToTheEnd(live, new SandboxLife(platform, scene));
        string what = $"call {failAt}, {platform.FailedCall}: {string.Join(' ', failures.Select(f => f.Message))}";
        int expected = platform.FailedCall is not { } call || (platform.MayBeReplaced(call) && failures.Count == 0) ? 0 : 1;
        Assert.That(failures, Has.Count.EqualTo(expected).And.All.Matches<Exception>(f => IsTyped(f, platform.FailedCall!)), what);
        platform.AssertNothingLeft(what);
        return platform;
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
        Assert.That(_platform.Slots, Is.EqualTo(_sandboxes.Sum(s => OwnSlots + s.Mappings.Count)), "memory slots in use");
}
