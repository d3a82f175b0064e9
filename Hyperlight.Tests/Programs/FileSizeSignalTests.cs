using System.Diagnostics;
using System.Runtime.InteropServices;
using Hyperlight.Programs;
using Hyperlight.Programs.Directories;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Programs;

/// <summary>A file that becomes larger than the process may write does not end the process.</summary>
[TestFixture]
[Platform("Linux")]
internal sealed partial class FileSizeSignalTests
{
    /// <summary>The signal is raised in a process of its own, which ends if it is not ignored.</summary>
    public const string Command = "raise-file-size-signal";

    private const int Signal = 25;
    private const int ExitCode = 5;

    [Test]
    public void The_signal_does_not_end_a_process_whose_programs_can_write()
    {
        using var files = new TestFiles();
        using Process process = Process.Start(TestProcess.Command(Command, files.Directory))!;
        process.WaitForExit();

        Assert.That(process.ExitCode, Is.EqualTo(ExitCode));
    }

    /// <summary>In the process of its own.</summary>
    public static int Raise(string directory)
    {
        using var mounts = new DirectoryMounts(new Dictionary<string, ProgramDirectory> { ["/data"] = new(directory) { IsWritable = true } });
        return RaiseSignal(Signal) == 0 ? ExitCode : 1;
    }

    [LibraryImport("libc", EntryPoint = "raise")]
    private static partial int RaiseSignal(int signal);
}
