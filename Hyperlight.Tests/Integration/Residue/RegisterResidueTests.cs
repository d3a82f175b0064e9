using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>The first tenant, or a hypervisor that does more than any guest can, changes every register.</summary>
internal sealed class RegisterResidueTests(TestTarget target) : ResidueTest(target)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Processors of AMD, and QEMU's, save the addresses of the last x87 instruction and operand only while an exception is
    /// pending, or never. The emulator saves them always.
    /// </summary>
    private IEnumerable<string> KeptByFewProcessors => Target.Hypervisor.Name == "emulator"
        ? []
        : [$"{nameof(FpuRegisters)}.{nameof(FpuRegisters.LastInstruction)}", $"{nameof(FpuRegisters)}.{nameof(FpuRegisters.LastOperand)}"];

    [Test]
    public void Every_getter_of_the_machine_is_compared() => Assert.That(
        MachineState.Getters.Where(m => m.GetParameters().Length > 0).Select(m => m.Name), Is.EquivalentTo(MachineState.GettersWithBuffer));

    [Test]
    public void Every_register_that_can_be_set_is_put_back()
    {
        RegisterPlants.Plant(Scene.Machine.Inner);
        SortedDictionary<string, object> planted = MachineState.Read(Scene.Machine.Inner);
        string[] same = [.. planted.Keys.Where(name => Scene.Clean[name].Equals(planted[name]) && !name.StartsWith("Xsave", StringComparison.Ordinal))];
        TestContext.Out.WriteLine($"{planted.Count - same.Length} planted; not changed: {string.Join(", ", same)}");
        Assert.That(same.Length * 4, Is.LessThan(planted.Count), "most can be planted");

        Assert.That(Scene.Restore(), Is.Empty);
    }

    /// <summary>Each register of the contracts has an instruction here that changes it, or a reason why none can.</summary>
    [Test]
    public void A_guest_changes_every_register_that_an_instruction_can_change_and_none_survives()
    {
        HashSet<string> changed = [];
        List<string> found = [];
        foreach (GuestCode code in PlantedRegisters.All)
        {
            Exception? ending = Scene.Execute(code, Patience);
            TestContext.Out.WriteLine($"{code}: {ending?.Message}");
            SortedDictionary<string, object> planted = MachineState.Read(Scene.Machine.Inner);
            changed.UnionWith(planted.Keys.Where(name => !planted[name].Equals(Scene.Clean[name])));
            found.AddRange(Scene.Restore().Select(line => $"{code}: {line}"));
        }

        string[] unchanged =
        [
            .. MachineState.Registers(Scene.Clean.Keys).Except(changed).Where(name => !PlantedRegisters.Unchangeable.ContainsKey(name)),
        ];
        Assert.That(found, Is.Empty);
        Assert.That(unchanged.Except(KeptByFewProcessors), Is.Empty, "not changed, and without a reason");
    }

    [Test]
    public void A_sandbox_from_the_snapshot_finds_nothing()
    {
        RegisterPlants.Plant(Scene.Machine.Inner);

        Assert.That(Scene.LookFromAnotherSandbox(), Is.Empty);
    }
}
