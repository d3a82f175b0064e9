using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>A process that saves snapshots until it is killed.</summary>
internal sealed class SavingProcess : IDisposable
{
    public const string Command = "save-until-killed";
    public const string FirstTag = "first";
    public const string SecondTag = "second";

    private const string Ready = "ready";
    private const string Saving = "saving";

    /// <summary>In the process that saves: whether it may.</summary>
    private static readonly ManualResetEventSlim MaySave = new();

    private readonly Process _process;

    /// <summary>Starts the process, which loads its snapshots and waits.</summary>
    /// <param name="source">A directory with the two snapshots that are saved in turns.</param>
    /// <param name="target">Where one tag goes back and forth between them.</param>
    /// <param name="fresh">Where a new directory is made each time.</param>
    public SavingProcess(string source, string target, string fresh)
    {
        ProcessStartInfo start = TestProcess.Command(Command, source, target, fresh);
        start.RedirectStandardInput = true;
        _process = Process.Start(start)!;
    }

    /// <summary>Lets it save, and waits until it begins.</summary>
    public void Go()
    {
        Assert.That(_process.StandardOutput.ReadLine(), Is.EqualTo(Ready));
        _process.StandardInput.WriteLine();
        Assert.That(_process.StandardOutput.ReadLine(), Is.EqualTo(Saving));
    }

    public void Kill()
    {
        Assert.That(_process.HasExited, Is.False, "it saves until it is killed");
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>Waits for the line that lets the process save. The input ends when the process of the tests ends, killed or not.</summary>
    private static void EndWithTheTests()
    {
        Thread reader = new(ReadInput) { IsBackground = true };
        reader.Start();
    }

    private static void ReadInput()
    {
        if (Console.ReadLine() is not null)
        {
            MaySave.Set();
            Console.ReadLine();
        }

        Environment.Exit(0);
    }

    /// <summary>What the process does.</summary>
    [DoesNotReturn]
    public static void SaveUntilKilled(string source, string target, string fresh)
    {
        var hypervisor = new EmulatorHypervisor();
        using Snapshot first = Snapshot.Load(source, FirstTag, hypervisor);
        using Snapshot second = Snapshot.Load(source, SecondTag, hypervisor);
        WarmUp(first);
        EndWithTheTests();
        Console.WriteLine(Ready);
        MaySave.Wait();
        Console.WriteLine(Saving);
        for (int i = 0; ; i++)
        {
            first.Save(Path.Combine(fresh, $"{Environment.ProcessId}-{i}"));
            first.Save(target);
            second.Save(target);
        }
    }

    /// <summary>The first time takes longer than all that follow.</summary>
    private static void WarmUp(Snapshot snapshot)
    {
        string directory = Directory.CreateTempSubdirectory("hyperlight-").FullName;
        string target = Path.Combine(directory, "target");
        snapshot.Save(target);
        snapshot.Save(target);
        Directory.Delete(directory, recursive: true);
    }
}
