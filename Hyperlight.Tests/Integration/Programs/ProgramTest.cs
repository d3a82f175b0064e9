using System.Text;
using Hyperlight.Emulator;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>
/// The base of the tests that run a Linux program; each runs on every usable driver. Fixtures run side by side: they take a third of all
/// time, and none looks at what the process has in all.
/// </summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers)), Parallelizable(ParallelScope.Self)]
internal abstract class ProgramTest(TestTarget target)
{
    private readonly List<ProgramRunner> _runners = [];

    /// <summary>The program without a C library, linked to a fixed address.</summary>
    protected const string Fixed = "program.elf";

    /// <summary>The same, position independent.</summary>
    protected const string PositionIndependent = "program-pie.elf";

    /// <summary>The images of the tests are not those of the user.</summary>
    protected static ProgramImageOptions ImageOptions { get; } =
        new() { CacheDirectory = Path.Combine(AppContext.BaseDirectory, "programs", "images") };

    /// <summary>The driver on which the tests run.</summary>
    protected TestTarget Target => target;

    [OneTimeTearDown]
    public void DisposeRunners() => _runners.ForEach(static runner => runner.Dispose());

    /// <summary>
    /// Whether the driver is a KVM without hardware virtualization: it emulates the kernel, a hundred times slower than a processor executes it,
    /// and the program runs with the segments of the host.
    /// </summary>
    protected bool IsEmulatingKvm => EmulatingKvm.Runs(Target.Hypervisor);

    /// <summary>
    /// A limit of time that some runs reach, and in which others end, or come to what they are for, on a machine that stands still for seconds.
    /// </summary>
    protected TimeSpan Enough => TimeSpan.FromSeconds(IsEmulatingKvm ? 30 : 15);

    protected static string PathOf(string program) => Path.Combine(AppContext.BaseDirectory, "guests", program);

    /// <summary>Creates a runner that is disposed after the tests of the fixture.</summary>
    protected ProgramRunner Create(ProgramImage image, IReadOnlyList<string>? command = null, ProgramLimits? limits = null, ProgramCheckpoint checkpoint = default,
        string? executable = null, ProgramInput? trial = null)
    {
        var template = new ProgramTemplate
        {
            Image = image,
            Command = command ?? [],
            Environment = new Dictionary<string, string> { ["NAME"] = "value" },
            Limits = WithTime(limits ?? new ProgramLimits()),
            Checkpoint = checkpoint,
            TrialInput = trial,
            Executable = executable,
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(target.Hypervisor),
        };
        ProgramRunner runner = ProgramRunner.CreateAsync(template).GetAwaiter().GetResult();
        _runners.Add(runner);
        return runner;
    }

    protected ProgramRunner Create(string program, ProgramLimits? limits = null) =>
        Create(ProgramImage.FromExecutable(PathOf(program), ImageOptions), limits: limits);

    /// <summary>Skips the test where a large program, such as Python, needs a minute or so to start.</summary>
    protected void RequireFastExecution()
    {
        if (Target.Hypervisor.Name == EmulatorHypervisor.DriverName && Target.Variant != TestTarget.MachineCode)
        {
            Assert.Ignore($"Large programs take too long on {Target.Driver}. They are tested where the guest's code is executed by hardware or compiled to machine code.");
        }
    }

    /// <summary>
    /// Skips the test where the runtime compiles the guest's code, which takes a minute or so for a program of some size. It is for hosts of other
    /// architectures.
    /// </summary>
    protected void RequireFastTranslation()
    {
        if (Target.Variant == TestTarget.Translator)
        {
            Assert.Ignore($"It takes the runtime's compiler too long to compile programs of this size on {Target.Driver}. They are tested on the other tiers.");
        }
    }

    /// <summary>Skips the test where the kernel is emulated by KVM and would execute for a minute or so what it does as well on other drivers.</summary>
    protected void RequireFastKernel()
    {
        if (IsEmulatingKvm)
        {
            Assert.Ignore("Work of the kernel alone takes too long on a KVM without hardware virtualization. It is tested on the other drivers.");
        }
    }

    /// <summary>The same for all but the first random runs of a test.</summary>
    /// <param name="seed">The seed of the run, from 1 on.</param>
    /// <param name="few">How many runs there are everywhere.</param>
    protected void RequireFastKernelAfter(int seed, int few)
    {
        if (seed > few)
        {
            RequireFastKernel();
        }
    }

    /// <summary>The default times are too short while other tests run, above all on a KVM that emulates the kernel.</summary>
    protected ProgramLimits WithTime(ProgramLimits limits)
    {
        var usual = new ProgramLimits();
        var time = TimeSpan.FromMinutes(IsEmulatingKvm ? 9 : 5);
        return limits with
        {
            Time = limits.Time == usual.Time ? time : limits.Time,
            WarmUpTime = limits.WarmUpTime == usual.WarmUpTime ? time : limits.WarmUpTime,
        };
    }

    protected static Task<ProgramResult> Run(ProgramRunner runner, string input, params string[] arguments) =>
        runner.RunAsync(new ProgramInput { Arguments = arguments, StandardInput = Encoding.UTF8.GetBytes(input) });
}
