using Hyperlight.Abstractions;
using Iced.Intel;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// After a restore the machine is what it was before any guest could plant anything: everything that its getters return is
/// compared, and a second guest looks for the plants in memory, in the same sandbox and in a fresh one.
/// </summary>
internal sealed class ResidueSweepTests(TestTarget target) : GuestTest(target)
{
    private const ulong Plant = 0x5A17_AB1E_D00D_F00D;
    private const ulong CodeAddress = 0x1000_0000;
    private const long Budget = 50_000_000;

    /// <summary>Longer than any code takes that does not loop.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private ObservedHypervisor _hypervisor = null!;
    private MultiUseSandbox _sandbox = null!;
    private Snapshot _snapshot = null!;
    private SortedDictionary<string, object> _clean = null!;

    [SetUp]
    public void CreateObserved()
    {
        _hypervisor = new ObservedHypervisor(Target.Hypervisor);
        _sandbox = Build(Configure);
        _snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(_snapshot);
        _clean = StateAtNextCall(_sandbox);
    }

    [TearDown]
    public void DisposeSnapshot() => _snapshot?.Dispose();

    [Test]
    public void Every_getter_of_the_machine_is_compared() => Assert.That(
        MachineState.Getters.Where(m => m.GetParameters().Length > 0).Select(m => m.Name), Is.EquivalentTo(MachineState.GettersWithBuffer));

    [Test]
    public void Every_register_that_can_be_set_is_put_back()
    {
        RegisterPlants.Plant(_hypervisor.Machine.Inner);
        SortedDictionary<string, object> planted = MachineState.Read(_hypervisor.Machine.Inner);
        string[] same = [.. _clean.Keys.Where(name => _clean[name].Equals(planted[name]) && !name.StartsWith("Xsave", StringComparison.Ordinal))];
        TestContext.Out.WriteLine($"{_clean.Count - same.Length} planted; not changed: {string.Join(", ", same)}");
        Assert.That(same.Length * 4, Is.LessThan(_clean.Count), "most can be planted");

        AssertClean(_sandbox);
    }

    [TestCaseSource(typeof(CallEnding), nameof(CallEnding.All))]
    public void Nothing_survives_a_call_that_ends_with(CallEnding ending)
    {
        if (ending.NeedsCounter && _hypervisor.Machine is not IInstructionCounter)
        {
            Assert.Ignore($"{Target.Hypervisor.Name} does not count instructions");
        }

        PlantAsGuest();

        ending.Run(_sandbox);

        AssertClean(_sandbox);
    }

    [TestCaseSource(typeof(UnfinishedCode), nameof(UnfinishedCode.All))]
    public void Nothing_survives_code_that_leaves(UnfinishedCode unfinished)
    {
        Execute(unfinished.Code);

        AssertClean(_sandbox);
    }

    [Test]
    public void A_sandbox_from_the_snapshot_finds_nothing()
    {
        PlantAsGuest();
        RegisterPlants.Plant(_hypervisor.Machine.Inner);

        MultiUseSandbox other = Build(b => Configure(b.WithSnapshot(_snapshot)));

        Assert.That(MachineState.Differences(_clean, StateAtNextCall(other)), Is.Empty);
        Assert.That(other.Call<ulong>("CountPlanted", Plant), Is.Zero);
    }

    /// <summary>Does to registers and memory what the guest's functions can do between two calls.</summary>
    private void PlantAsGuest()
    {
        foreach (uint index in MsrPolicy.Default.Writable)
        {
            _sandbox.Call<byte[]>("SweepMsrs", index, 1U, MsrSweep.BitsOf(index));
        }

        _sandbox.Call<byte[]>("SwapGs", 0x7F00_1234_5000UL);
        for (int i = 0; i < 4; i++)
        {
            _sandbox.Call("SetDr", i, Plant >> 20);
        }

        _sandbox.Call("SetDr", 6, 0xFFFF_0FF1UL);
        _sandbox.Call("SetDr", 7, 0x402UL);
        _sandbox.Call("SetCr", 2, Plant);
        _sandbox.Call("SetCr", 4, _sandbox.Call<ulong>("GetCr", 4) | 0x80);
        _sandbox.Call("SetCr", 8, 5UL);
        _sandbox.Call("PlantScratch", Plant);
        _sandbox.Call<ulong>("PlantHeapAndStack", Plant, 0x1000U);
    }

    private void Execute(Action<Assembler> code)
    {
        var assembler = new Assembler(64);
        code(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), 0);
        using IMemoryRegion region = Target.Hypervisor.AllocateMemory(GuestPage.Size);
        region.Write(0, stream.ToArray());
        _sandbox.MapRegion(region, CodeAddress, MemoryFlags.Read | MemoryFlags.Execute);
        _sandbox.Call("MapPhysical", UnfinishedCode.Missing, (ulong)GuestPage.Size);
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            _sandbox.Call<int>("MapAndExecute", [CodeAddress], limit.Token);
            Assert.Fail("the code returned");
        }
        catch (Exception exception) when (exception is HyperlightException or OperationCanceledException)
        {
            TestContext.Out.WriteLine(exception.Message);
        }
    }

    private void AssertClean(MultiUseSandbox sandbox)
    {
        sandbox.Restore(_snapshot);

        Assert.That(MachineState.Differences(_clean, StateAtNextCall(sandbox)), Is.Empty);
        Assert.That(sandbox.Call<ulong>("CountPlanted", Plant), Is.Zero);
        Assert.That(sandbox.Call<ulong>("ReadMsr", 0x277U), Is.EqualTo(_clean["Msr.00000277"]));
    }

    private SortedDictionary<string, object> StateAtNextCall(MultiUseSandbox sandbox)
    {
        _hypervisor.Machine.Arm();
        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
        return _hypervisor.Machine.StateAtEntry;
    }

    private void Configure(SandboxBuilder builder)
    {
        builder
            .WithHypervisor(_hypervisor)
            .WithHostFunction(CallEnding.ThrowingFunction, () => Throw());
        if (Target.Hypervisor.Name == "emulator")
        {
            builder.WithConfiguration(new SandboxConfiguration { InstructionBudget = Budget });
        }
    }

    private static int Throw() => throw new InvalidOperationException("planted");
}
