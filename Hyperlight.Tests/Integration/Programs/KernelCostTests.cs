using System.Globalization;
using Hyperlight.Programs;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>What the kernel may cost. See also <see cref="CheckpointedInterpreterTests"/> for the exits of a run of an interpreter.</summary>
internal sealed class KernelCostTests(TestTarget target) : ProgramTest(target)
{
    private const long MostBytes = 300_000;
    private const int MostInstructions = 250;
    private const int Few = 1_000;
    private const int Many = 6_000;

    // About 1,120 with one join behind all changes. A join after each takes 140 more, and moves the rest of the list, which is one instruction that
    // takes the time of many.
    private const int MostInstructionsForArea = 1_190;
    private const int ManyAreas = 8_000;

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

        ProgramRunner runner = Create(Fixed);

        double each = (double)(await Count(calls: 1) - await Count(calls: 0)) / (2 * ManyAreas);

        TestContext.Out.WriteLine($"{each} instructions");
        Assert.That(each, Is.InRange(20, MostInstructionsForArea));

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
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(observed),
        });

        (long? instructions, int exits) = await Count(Few);
        (long? moreInstructions, int moreExits) = await Count(Many);

        Assert.That(moreExits, Is.LessThanOrEqualTo(exits + Tolerance));
        Assert.That(moreInstructions is not null, Is.EqualTo(Target.Hypervisor.CountsInstructions));
        if ((moreInstructions - instructions) is { } all)
        {
            double each = (double)all / (Many - Few);
            TestContext.Out.WriteLine($"{each} instructions, {exits} exits");
            Assert.That(each, Is.InRange(20, MostInstructions));
        }

        async Task<(long? Instructions, int Exits)> Count(int calls)
        {
            int before = observed.Machine.ExitCount;
            ProgramResult result = await Run(runner, "", "count-calls", calls.ToString(CultureInfo.InvariantCulture));
            Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
            return (result.Usage.Instructions, observed.Machine.ExitCount - before);
        }
    }
}
