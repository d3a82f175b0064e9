using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Integration;

/// <summary>Budgets of instructions, on drivers that count.</summary>
[TestFixture]
internal sealed class InstructionBudgetTests
{
    private static readonly int[] Thresholds = [0, 1, 3, 50];

    [Test]
    public void A_guest_that_never_ends_stops_at_its_budget([ValueSource(nameof(Thresholds))] int threshold)
    {
        const long budget = 1_000_003;
        using MultiUseSandbox sandbox = Build(threshold, budget);
        long before = sandbox.InstructionCount!.Value;

        var exception = Assert.Throws<InstructionBudgetExhaustedException>(() => sandbox.Call("SpinForever"))!;

        Assert.That(exception.Budget, Is.EqualTo(budget));
        Assert.That(sandbox.InstructionCount - before, Is.EqualTo(budget));
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public void A_call_counts_the_same_in_every_tier()
    {
        var counts = new List<long?>();
        foreach (int threshold in Thresholds)
        {
            using MultiUseSandbox sandbox = Build(threshold, budget: null);
            for (int i = 0; i < 100; i++)
            {
                _ = sandbox.Call<int>("Add", i, 2);
            }

            long before = sandbox.InstructionCount!.Value;
            _ = sandbox.Call<int>("Add", 1, 2);
            counts.Add(sandbox.InstructionCount - before);
        }

        TestContext.Out.WriteLine($"a call of Add executes {counts[0]} instructions");
        Assert.That(counts, Is.All.EqualTo(counts[0]));
        Assert.That(counts[0], Is.Positive);
    }

    [Test]
    public void Each_call_has_a_budget_of_its_own()
    {
        using MultiUseSandbox sandbox = Build(threshold: 50, budget: 1_000_000);
        for (int i = 0; i < 2_000; i++)
        {
            Assert.That(sandbox.Call<int>("Add", i, 2), Is.EqualTo(i + 2));
        }

        Assert.That(sandbox.InstructionCount, Is.GreaterThan(1_000_000));
    }

    [Test]
    public void A_driver_that_does_not_count_refuses_a_budget()
    {
        var machine = new Moq.Mock<IVirtualMachine>();
        var hypervisor = new Moq.Mock<IHypervisor>();
        hypervisor.Setup(h => h.Name).Returns("mock");
        hypervisor.Setup(h => h.Probe()).Returns(HypervisorStatus.Usable("a mock"));
        hypervisor.Setup(h => h.AllocateMemory(Moq.It.IsAny<nuint>())).Returns((nuint size) => new ManagedMemoryRegion(size));
        hypervisor.Setup(h => h.CreateVirtualMachine(in Moq.It.Ref<VirtualMachineOptions>.IsAny)).Returns(machine.Object);

        var exception = Assert.Throws<HypervisorException>(() => Builder(hypervisor.Object, budget: 1).Build())!;

        Assert.That(exception.Message, Does.Contain("mock").And.Contain("count"));
        machine.Verify(m => m.Dispose(), Moq.Times.Once);
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_budget_is_positive(long budget) =>
        Assert.That(() => new SandboxConfiguration { InstructionBudget = budget }, Throws.TypeOf<ArgumentOutOfRangeException>());

    private static MultiUseSandbox Build(int threshold, long? budget)
    {
        var options = threshold == 0
            ? new EmulatorOptions { TranslateHotCode = false }
            : new EmulatorOptions { HotThreshold = threshold };
        return Builder(new EmulatorHypervisor(options), budget).Build();
    }

    private static SandboxBuilder Builder(IHypervisor hypervisor, long? budget) =>
        new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder()
            .WithConfiguration(new SandboxConfiguration { InstructionBudget = budget });
}
