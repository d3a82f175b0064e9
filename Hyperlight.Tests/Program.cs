using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Snapshots.Files;
using Hyperlight.Tests.Programs;
using Hyperlight.Tests.Programs.Images;
using Hyperlight.Tests.Soak;

namespace Hyperlight.Tests;

/// <summary>What runs in a process of its own: what tests are going to kill, and the soak, which takes as long as it is told.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments is [SavingProcess.Command, var source, var target, var fresh])
        {
            SavingProcess.SaveUntilKilled(source, target, fresh);
        }

        if (arguments is [MemoryShortageTests.Command])
        {
            MemoryShortage.Run();
            return 0;
        }

        if (arguments is [ImageProcess.Command, var directory, var cache])
        {
            ImageProcess.Build(directory, cache);
            return 0;
        }

        if (arguments is [FileSizeSignalTests.Command, var writable])
        {
            return FileSizeSignalTests.Raise(writable);
        }

        if (arguments is [TestRun.Command, var name, var pattern])
        {
            return TestRun.Run(name, pattern);
        }

        if (arguments is [SoakOptions.Command, ..])
        {
            return SoakCommand.Run(arguments.AsSpan(1));
        }

        Console.Error.WriteLine("Run 'dotnet test' instead, or:");
        Console.Error.WriteLine(TestRun.Usage);
        Console.Error.WriteLine(SoakOptions.Usage);
        return 1;
    }
}
