using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Host.Sandboxes;

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

        var exception = Assert.Throws<BudgetExceededException>(() => sandbox.Call("SpinForever"))!;

        Assert.That((exception.Budget, exception.Limit, exception.Used), Is.EqualTo((BudgetKind.Instructions, budget, budget)));
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
    public void Each_call_has_a_separate_budget()
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
        var guest = new ScriptedMachine();
        using Snapshot snapshot = TakeSnapshot(guest);
        var configuration = new SandboxConfiguration { Budget = new CallBudget { Instructions = 1 } };
        guest.Hypervisor.Invocations.Clear();

        Assert.That(() => guest.Builder().WithConfiguration(configuration).Build(), Throws.TypeOf<UnsupportedConfigurationException>()
            .With.Message.Contains("Budget.Instructions is 1, but the hypervisor is 'mock'")
            .And.Property("Setting").EqualTo("Budget.Instructions").And.Property("Driver").EqualTo("mock"));
        Assert.That(
            () => guest.Builder().WithSnapshot(snapshot).WithConfiguration(configuration).Build(),
            Throws.TypeOf<UnsupportedConfigurationException>());
        guest.Hypervisor.Verify(h => h.CreateVirtualMachine(in Moq.It.Ref<VirtualMachineOptions>.IsAny), Moq.Times.Never);
    }

    [Test]
    public void A_driver_that_says_it_counts_and_does_not_refuses_a_budget()
    {
        var guest = new ScriptedMachine();
        guest.Hypervisor.Setup(h => h.CountsInstructions).Returns(true);

        Assert.That(
            () => guest.Builder().WithConfiguration(new SandboxConfiguration { Budget = new CallBudget { Instructions = 1 } }).Build(),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("do not count"));
        guest.Machine.Verify(m => m.Dispose(), Moq.Times.Once);
        Assert.That(guest.AllReleased, Is.True);
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_budget_is_positive(long budget) =>
        Assert.That(() => new SandboxConfiguration { Budget = new CallBudget { Instructions = budget } }, Throws.TypeOf<ArgumentOutOfRangeException>());

    private static Snapshot TakeSnapshot(ScriptedMachine guest)
    {
        using MultiUseSandbox sandbox = guest.Build();
        return sandbox.TakeSnapshot();
    }

    private static MultiUseSandbox Build(int threshold, long? budget)
    {
        var options = threshold == 0
            ? new EmulatorOptions { TranslateHotCode = false }
            : new EmulatorOptions { HotThreshold = threshold };
        return Builder(new EmulatorHypervisor(options), budget).Build();
    }

    private static SandboxBuilder Builder(IHypervisor hypervisor, long? budget) =>
        new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder()
            .WithConfiguration(new SandboxConfiguration { Budget = new CallBudget { Instructions = budget } });
}
