using System.Globalization;
using Hyperlight.Abstractions;
using Hyperlight.Programs;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>What the kernel may cost. See also <see cref="CheckpointedInterpreterTests"/> for the exits of a run of an interpreter.</summary>
internal sealed class KernelCostTests(TestTarget target) : ProgramTest(target)
{
    private const long MostBytes = 300_000;
    private const int Few = 1_000;
    private const int Many = 6_000;
    private const int ManyAreas = 8_000;

    // What was measured on the emulator, which counts them: the same on each of its tiers, to 0.1.
    private const int InstructionsForCall = 236;
    private const int InstructionsForArea = 1_123;

    // What is more than measured by this part is too much. With a join of areas after each change, instead of one behind all of them, an area takes 1,324, and
    // more time than these say: one of the instructions moves the rest of the list.
    private const double Margin = 0.1;

    // Without one each run has other addresses, for which the kernel takes up to ten instructions more or less.
    private const ulong Seed = 1;

    // A driver may leave the guest and enter it again when a signal comes to the host's thread.
    private const int Tolerance = 5;

    [Test]
    public void The_kernel_is_small()
    {
        using Stream kernel = typeof(ProgramRunner).Assembly.GetManifestResourceStream("linux.elf")!;

        TestContext.Out.WriteLine($"{kernel.Length} bytes");
        Assert.That(kernel.Length, Is.InRange(100_000, MostBytes));
    }

    [Test]
    public async Task A_system_call_that_changes_many_areas_takes_few_instructions_for_each()
    {
        if (!Target.Hypervisor.CountsInstructions)
        {
            Assert.Ignore($"{Target.Driver} does not count instructions.");
        }

        await using ProgramRunner runner = await CreateAsync(Target.Hypervisor, Seed);

        double each = (double)(await Count(calls: 1) - await Count(calls: 0)) / (2 * ManyAreas);

        CheckInstructions(each, InstructionsForArea);

        async Task<long> Count(int calls)
        {
            ProgramResult result = await Run(runner, "", "many-areas", $"{ManyAreas}", $"{calls}");
            Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
            return result.Usage.Instructions!.Value;
        }
    }

    /// <summary>Two runs that differ in the number of calls alone: what the start and the end take does not count.</summary>
    [Test]
    public async Task A_simple_system_call_takes_few_instructions_and_no_exit()
    {
        var observed = new ObservedHypervisor(Target.Hypervisor);
        await using ProgramRunner runner = await CreateAsync(observed);

        (long? instructions, int exits) = await Count(Few);
        (long? moreInstructions, int moreExits) = await Count(Many);

        TestContext.Out.WriteLine($"{exits} and {moreExits} exits");
        Assert.That(moreExits, Is.LessThanOrEqualTo(exits + Tolerance));
        Assert.That(moreInstructions is not null, Is.EqualTo(Target.Hypervisor.CountsInstructions));
        if ((moreInstructions - instructions) is { } all)
        {
            CheckInstructions((double)all / (Many - Few), InstructionsForCall);
        }

        async Task<(long? Instructions, int Exits)> Count(int calls)
        {
            int before = observed.Machine.ExitCount;
            ProgramResult result = await Run(runner, "", "count-calls", calls.ToString(CultureInfo.InvariantCulture));
            Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
            return (result.Usage.Instructions, observed.Machine.ExitCount - before);
        }
    }

    private static void CheckInstructions(double each, int measured)
    {
        double most = measured * (1 + Margin);
        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{each:F1} instructions, of at most {most:F1}"));
        Assert.That(each, Is.InRange(measured / 2, most));
    }

    private Task<ProgramRunner> CreateAsync(IHypervisor hypervisor, ulong? seed = null) => ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
        Limits = WithTime(new ProgramLimits()),
        Seed = seed,
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(hypervisor),
    });
}
