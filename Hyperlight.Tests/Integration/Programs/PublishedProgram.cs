using Hyperlight.Emulator;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The C# programs that the build of the tests has published as native executables.</summary>
internal static class PublishedProgram
{
    /// <summary>The directory of a program. Skips the test on machines that could not publish it.</summary>
    public static string DirectoryOf(string name)
    {
        string directory = Path.Combine(AppContext.BaseDirectory, "programs", name);
        if (!Directory.Exists(directory))
        {
            Assert.Ignore($"The machine that built the tests has not published the C# program '{name}': this needs Linux for x64 and a C toolchain.");
        }

        return directory;
    }

    /// <summary>The path of the executable. Skips the test likewise.</summary>
    public static string PathOf(string name) => Path.Combine(DirectoryOf(name), name);

    /// <summary>Skips the test where such programs take seconds, and where a simulation executes them as the emulator does.</summary>
    public static void RequireFastExecution(TestTarget target)
    {
        if (target.IsSimulated || (target.Hypervisor.Name == EmulatorHypervisor.DriverName && target.Variant != TestTarget.MachineCode))
        {
            Assert.Ignore($"C# programs take long on {target.Driver}. They are tested where the guest's code is executed by hardware or compiled to machine code.");
        }
    }
}
