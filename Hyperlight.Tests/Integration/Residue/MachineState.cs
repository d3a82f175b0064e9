using System.Reflection;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Everything that a machine says about its vCPU, by name: what each getter of <see cref="IVirtualMachine"/> returns, taken
/// apart to numbers. It follows the contracts by reflection, so that a register which is added later is here too.
/// </summary>
internal static class MachineState
{
    private const uint TimeStampCounter = 0x10;

    /// <summary>The getters that fill a buffer, and are called by name.</summary>
    public static IReadOnlyList<string> GettersWithBuffer { get; } = [nameof(IVirtualMachine.GetXsave), nameof(IVirtualMachine.GetMsrs)];

    /// <summary>All getters.</summary>
    public static IEnumerable<MethodInfo> Getters =>
        typeof(IVirtualMachine).GetMethods().Where(m => m.Name.StartsWith("Get", StringComparison.Ordinal));

    /// <summary>Whether the host can read a register that a guest can only read: WHP has no name for one of them.</summary>
    private static bool IsGiven(IVirtualMachine machine, uint index)
    {
        try
        {
            machine.GetMsrs([new ModelSpecificRegister(index)]);
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }

    public static SortedDictionary<string, object> Read(IVirtualMachine machine)
    {
        var state = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (MethodInfo getter in Getters.Where(m => m.GetParameters().Length == 0))
        {
            Flatten(state, getter.Name[3..], getter.Invoke(machine, null)!);
        }

        byte[] xsave = new byte[machine.XsaveSize];
        machine.GetXsave(xsave);
        for (int i = 0; i < xsave.Length; i += sizeof(ulong))
        {
            state.Add($"Xsave.{i:D5}", BitConverter.ToUInt64(xsave, i));
        }

        ModelSpecificRegister[] registers =
        [
            .. machine.GuestWritableMsrs.ToArray().Union(MsrPolicy.Default.Readable.Where(i => IsGiven(machine, i))).Where(i => i != TimeStampCounter).Order()
                .Select(i => new ModelSpecificRegister(i)),
        ];
        machine.GetMsrs(registers);
        foreach (ModelSpecificRegister register in registers)
        {
            state.Add($"Msr.{register.Index:X8}", register.Value);
        }

        return state;
    }

    /// <summary>What differs, one line for each number.</summary>
    public static string[] Differences(SortedDictionary<string, object> expected, SortedDictionary<string, object> actual) =>
    [
        .. expected.Keys.Union(actual.Keys)
            .Where(name => !Equals(expected.GetValueOrDefault(name), actual.GetValueOrDefault(name)))
            .Select(name => $"{name}: 0x{expected.GetValueOrDefault(name):X} expected, 0x{actual.GetValueOrDefault(name):X} found"),
    ];

    /// <summary>The properties of a register structure that are numbers or further structures.</summary>
    public static IEnumerable<PropertyInfo> Properties(Type structure) =>
        structure.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite);

    /// <summary>Of these names, those of registers that the contracts name: not the XSAVE image and model-specific registers.</summary>
    public static IEnumerable<string> Registers(IEnumerable<string> names) =>
        names.Where(static n => Getters.Any(g => g.GetParameters().Length == 0 && !g.ReturnType.IsPrimitive && n.StartsWith(g.Name[3..] + '.', StringComparison.Ordinal)));

    private static void Flatten(SortedDictionary<string, object> state, string name, object value)
    {
        switch (value)
        {
            case X87Stack stack:
                Flatten(state, name, (ReadOnlySpan<UInt128>)stack);
                break;
            case XmmRegisters registers:
                Flatten(state, name, (ReadOnlySpan<UInt128>)registers);
                break;
            default:
                if (value.GetType().IsPrimitive)
                {
                    state.Add(name, value);
                    return;
                }

                PropertyInfo[] properties = [.. Properties(value.GetType())];
                Assert.That(properties, Is.Not.Empty, $"{name} is of a kind that is not known here");
                foreach (PropertyInfo property in properties)
                {
                    Flatten(state, $"{name}.{property.Name}", property.GetValue(value)!);
                }

                break;
        }
    }

    private static void Flatten(SortedDictionary<string, object> state, string name, ReadOnlySpan<UInt128> values)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<UInt128, ulong>(values);
        for (int i = 0; i < words.Length; i++)
        {
            state.Add($"{name}.{i:D2}", words[i]);
        }
    }
}
