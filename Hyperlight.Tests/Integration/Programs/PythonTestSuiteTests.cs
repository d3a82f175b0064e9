using Hyperlight.Emulator;
using Hyperlight.Programs;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>
/// Python's own tests have the same results in a micro VM as on Linux: the same number, and the same ones that fail or are skipped. A few
/// modules are run in optimized builds, and all of the documentation's list in the long mode.
/// </summary>
internal sealed class PythonTestSuiteTests(TestTarget target) : ProgramTest(target)
{
    private const int FewestModules = 120;
    private const long Memory = 1L << 30;

    private static readonly TimeSpan Time = TimeSpan.FromMinutes(10);

    private static readonly string[] QuickModules = ["test_dict", "test_fcntl", "test_fileio", "test_resource", "test_select"];

    [Test]
    public void The_documentation_lists_enough_modules()
    {
        Assert.That(PythonTestSuite.Modules, Is.Unique);
        Assert.That(PythonTestSuite.Modules, Is.SupersetOf(QuickModules));
        Assert.That(PythonTestSuite.Modules, Has.Length.GreaterThanOrEqualTo(FewestModules));
    }

    [Test]
    public async Task Modules_have_the_results_of_a_native_run()
    {
        RequireFastExecution();
        if (IsEmulatingKvm || Target.IsSimulated)
        {
            Assert.Ignore($"Python's own tests take too long on {Target.Driver}. They are run where the guest's code is executed by hardware or compiled to machine code.");
        }

#if DEBUG
        if (!TestSettings.IsLong)
        {
            Assert.Ignore($"Python's own tests take minutes in a build without optimization. They are run in others, and with {TestSettings.LongVariable}=1.");
        }
#endif

        PythonTestSuite.Require();
        string[] modules = TestSettings.IsLong ? PythonTestSuite.Modules : QuickModules;
        await using ProgramRunner runner = await CreateRunner();
        var differences = new List<string>();
        foreach (string module in modules)
        {
            IReadOnlyList<string> expected = PythonTestSuite.RunNatively(module);
            ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = [module] });
            IReadOnlyList<string> actual = PythonTestSuite.Results(result.StandardOutput);
            TestContext.Progress.WriteLine($"{module}: {result.End} {result.Usage.Time.TotalSeconds:F1} s, {(actual.Count > 0 ? actual[^1] : "no result")}");
            if (result.End != ProgramEnd.Exited || !actual.SequenceEqual(expected))
            {
                differences.Add(
                    $"{module}: {result.End} {result.ExitCode}, natively: [{string.Join(", ", expected.Except(actual))}], in the micro VM: "
                    + $"[{string.Join(", ", actual.Except(expected))}], unsupported: [{string.Join(", ", result.UnsupportedSystemCalls)}]");
                TestContext.Out.WriteLine(result.StandardError);
            }
        }

        Assert.That(differences, Is.Empty);
    }

    /// <summary>On the emulator with its default threshold: most of the code is executed a few times.</summary>
    private Task<ProgramRunner> CreateRunner() => ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = PythonTestSuite.Image(ImageOptions),
        Command = [PythonTestSuite.Python, "-c", PythonTestSuite.Script],
        Checkpoint = ProgramCheckpoint.Ready,
        Environment = PythonTestSuite.Environment,
        Limits = new ProgramLimits { Memory = Memory, Time = Time, WarmUpTime = Time },
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(
            Target.Hypervisor.Name == EmulatorHypervisor.DriverName ? new EmulatorHypervisor() : Target.Hypervisor),
    });
}
