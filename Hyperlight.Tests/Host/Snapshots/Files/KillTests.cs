using System.Diagnostics;
using Hyperlight.Emulator;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>A process that is killed while it saves: what was there before is there, or what is there afterwards.</summary>
[TestFixture]
internal sealed class KillTests
{
    private const int LongestRunMilliseconds = 40;

    private static readonly int Kills = TestSettings.IsLong ? 1000 : 60;

    /// <summary>Processes that were started and wait: starting one takes longer than anything else here.</summary>
    private const int Waiting = 2;

    private readonly EmulatorHypervisor _hypervisor = new();

    [Test]
    public void Every_directory_is_readable_after_a_kill_at_any_moment()
    {
        var random = new Random((int)(TestSettings.ChooseSeed(out _) >> 20));
        string parent = Directory.CreateTempSubdirectory("hyperlight-").FullName;
        string source = Path.Combine(parent, "source");
        string target = Path.Combine(parent, "target");
        string fresh = Path.Combine(parent, "fresh");
        ulong[] generations = Prepare(source);
        Directory.CreateDirectory(fresh);
        var waiting = new Queue<SavingProcess>();
        int interrupted = 0;
        int loaded = 0;
        try
        {
            for (int i = 0; i < Kills; i++)
            {
                while (waiting.Count < Waiting)
                {
                    waiting.Enqueue(new SavingProcess(source, target, fresh));
                }

                using SavingProcess process = waiting.Dequeue();
                process.Go();
                Spin(TimeSpan.FromMilliseconds(random.NextDouble() * LongestRunMilliseconds));
                process.Kill();

                interrupted += Unfinished(parent).Any() ? 1 : 0;
                loaded += Check(target, generations);
                loaded += Directory.GetDirectories(fresh).Where(d => !IsStaging(d)).Sum(d => Check(d, generations));
                Directory.Delete(fresh, recursive: true);
                Directory.CreateDirectory(fresh);
            }
        }
        finally
        {
            foreach (SavingProcess process in waiting)
            {
                process.Dispose();
            }
        }

        // The next one to save cleans up.
        using (Snapshot snapshot = Snapshot.Load(source, SavingProcess.FirstTag, _hypervisor))
        {
            snapshot.Save(target);
        }

        Assert.That(Unfinished(parent), Is.Empty);
        Directory.Delete(parent, recursive: true);
        TestContext.Out.WriteLine($"{Kills} kills, {interrupted} of them in the middle of saving; {loaded} directories loaded, every one readable.");
        Assert.That(interrupted, Is.GreaterThan(Kills / 10), "the kills should come in the middle of saving");
    }

    /// <summary>Two snapshots of a guest.</summary>
    private ulong[] Prepare(string source)
    {
        using MultiUseSandbox sandbox = new TestTarget(_hypervisor, TestTargets.GeneralGuest).Builder().Build();
        using Snapshot first = sandbox.TakeSnapshot();
        first.Save(source, SavingProcess.FirstTag);
        sandbox.Call<int>("IncrementCounter");
        using Snapshot second = sandbox.TakeSnapshot();
        second.Save(source, SavingProcess.SecondTag);
        return [first.Generation, second.Generation];
    }

    private int Check(string directory, ulong[] generations)
    {
        if (!Directory.Exists(directory))
        {
            return 0;
        }

        using Snapshot snapshot = Snapshot.Load(directory, hypervisor: _hypervisor);
        Assert.That(generations, Has.Member(snapshot.Generation));
        return 1;
    }

    private static IEnumerable<string> Unfinished(string parent) =>
        new[] { "*.hyperlight.tmp", "*.staging" }.SelectMany(p => Directory.GetFileSystemEntries(parent, p, SearchOption.AllDirectories));

    private static bool IsStaging(string directory) => directory.EndsWith(".staging", StringComparison.Ordinal);

    /// <summary>Waits more precisely than the operating system's timers do.</summary>
    private static void Spin(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            Thread.SpinWait(20);
        }
    }
}
