using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>The first tenant plants what stays between calls, and its last call ends in each way that there is.</summary>
internal sealed class CallEndingTests(TestTarget target) : ResidueTest(target)
{
    private const ulong Plant = 0x5A17_AB1E_D00D_F00D;

    /// <summary>Before one of so many endings of a kind there is also what a guest plants in earlier calls.</summary>
    private const int PartWithPlants = 7;

    [Test]
    public void Nothing_survives_however_a_call_ends()
    {
        HashSet<Type> thrown = [];
        HashSet<CancellationReason> reasons = [];
        HashSet<BudgetKind> budgets = [];
        List<string> found = [];
        foreach ((int i, CallEnding ending) in CallEndings.All.Where(e => !e.NeedsCounter || Target.Hypervisor.CountsInstructions).Index())
        {
            if (i % PartWithPlants == 0 || CallEndings.Others.Any(e => e.Name == ending.Name))
            {
                PlantWhatStays();
            }

            if (Run(ending) is { } exception)
            {
                thrown.Add(exception.GetType());
                reasons.UnionWith(exception is ExecutionCanceledException { Reason: var reason } ? [reason] : []);
                budgets.UnionWith(exception is BudgetExceededException { Budget: var budget } ? [budget] : []);
            }

            found.AddRange(Scene.Restore().Select(line => $"{ending.Name}: {line}"));
        }

        TestContext.Out.WriteLine(string.Join(", ", thrown.Select(static t => t.Name).Order()));
        TestContext.Out.WriteLine(string.Join(", ", Scene.Machine.Exits.Order()));
        Assert.That(found, Is.Empty);
        Assert.That(
            ExceptionsOfTheLibrary.Except(thrown).Except(CallEndings.ThrownByOtherOperations.Keys),
            Is.Empty,
            "exceptions without an ending or a reason");
        Assert.That(thrown.Intersect(CallEndings.ThrownByOtherOperations.Keys), Is.Empty, "exceptions with an ending and a reason");
        IEnumerable<VmExitReason> ofOtherMachines = EmulatingKvm.Runs(Target.Hypervisor)
            ? [.. CallEndings.ExitsOfOtherMachines.Keys, VmExitReason.AccessViolation]
            : CallEndings.ExitsOfOtherMachines.Keys;
        Assert.That(Enum.GetValues<VmExitReason>().Except(Scene.Machine.Exits).Except(ofOtherMachines), Is.Empty, "exits without an ending or a reason");
        Assert.That(
            Enum.GetValues<CancellationReason>().Except(reasons), Is.EquivalentTo(CallEndings.ReasonsWithoutRestore.Keys), "reasons without an ending");
        BudgetKind[] ofCounters = Target.Hypervisor.CountsInstructions ? [] : [BudgetKind.Instructions];
        Assert.That(Enum.GetValues<BudgetKind>().Except(budgets), Is.EquivalentTo(ofCounters), "budgets without an ending");
    }

    private static IEnumerable<Type> ExceptionsOfTheLibrary =>
        new[] { typeof(IVirtualMachine).Assembly, typeof(MultiUseSandbox).Assembly }
            .SelectMany(static a => a.GetTypes()).Where(static t => t.IsSubclassOf(typeof(Exception)) && !t.IsAbstract);

    /// <summary>What the call throws; anything but the exceptions of the contract is a failure, which NUnit reports.</summary>
    private Exception? Run(CallEnding ending)
    {
        try
        {
            ending.Call(Scene);
            return null;
        }
        catch (Exception exception) when (exception is HyperlightException or OperationCanceledException)
        {
            return exception;
        }
    }

    /// <summary>What a guest's functions can do that is still there in its next call.</summary>
    private void PlantWhatStays()
    {
        MultiUseSandbox sandbox = Scene.Sandbox;
        foreach (uint index in MsrPolicy.Default.Writable)
        {
            sandbox.Call<byte[]>("SweepMsrs", index, 1U, MsrSweep.BitsOf(index));
        }

        sandbox.Call<byte[]>("SwapGs", 0x7F00_1234_5000UL);
        for (int i = 0; i < 4; i++)
        {
            sandbox.Call("SetDr", i, Plant >> 20);
        }

        sandbox.Call("SetDr", 6, 0xFFFF_0FF1UL);
        sandbox.Call("SetDr", 7, 0x402UL);
        sandbox.Call("SetCr", 2, Plant);
        sandbox.Call("SetCr", 4, sandbox.Call<ulong>("GetCr", 4) | 0x80);
        sandbox.Call("SetCr", 8, 5UL);
        sandbox.Call("PlantScratch", Plant);
        sandbox.Call<ulong>("PlantHeapAndStack", Plant, 0x1000U);
    }
}
