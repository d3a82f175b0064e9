using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>The machine that runs the tests, for tests that need it to execute emitted code.</summary>
internal static class EmittingHost
{
    /// <summary>Skips the test, saying why, where emitted code cannot be executed.</summary>
    public static void Require()
    {
        if (EmittingCompiler.WhyUnusable is { } why)
        {
            Assert.Ignore(why);
        }
    }
}
