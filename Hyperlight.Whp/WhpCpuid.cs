using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// What CPUID hides from guests, as WHvPartitionPropertyCodeCpuidResultList2 takes it: for each leaf the bits that are
/// replaced by 0, and the width of physical addresses.
/// </summary>
internal static class WhpCpuid
{
    private const uint All = uint.MaxValue;
    private const uint LastBasicLeaf = 0x24;
    private const uint FirstHypervisorLeaf = 0x4000_0001;
    private const uint LastHypervisorLeaf = 0x4000_000C;
    private const uint FirstExtendedLeaf = 0x8000_0001;
    private const uint LastExtendedLeaf = 0x8000_0026;
    private const uint FeaturesLeaf = 7;
    private const uint XsaveLeaf = 0xD;
    private const uint AddressSizesLeaf = 0x8000_0008;

    /// <summary>The subleaves of the two leaves whose subleaves mean different things.</summary>
    private static readonly (uint Leaf, uint Last)[] WithSubleaves = [(FeaturesLeaf, 2), (XsaveLeaf, 1)];

    /// <summary>The list for guests.</summary>
    /// <param name="physicalAddressBits">The width of guest physical addresses.</param>
    public static WhvX64CpuidResult2[] Build(byte physicalAddressBits)
    {
        List<WhvX64CpuidResult2> results = [];
        AddRange(results, 1, LastBasicLeaf);
        AddRange(results, FirstHypervisorLeaf, LastHypervisorLeaf);
        AddRange(results, FirstExtendedLeaf, LastExtendedLeaf);
        int sizes = results.FindIndex(static r => r.Function == AddressSizesLeaf);
        WhvX64CpuidResult2 addressSizes = results[sizes];
        addressSizes.Output.Eax = physicalAddressBits;
        addressSizes.Mask.Eax |= 0xFF;
        results[sizes] = addressSizes;
        return [.. results];
    }

    private static void AddRange(List<WhvX64CpuidResult2> results, uint first, uint last)
    {
        for (uint leaf = first; leaf <= last; leaf++)
        {
            (uint Leaf, uint Last) subleaves = Array.Find(WithSubleaves, s => s.Leaf == leaf);
            for (uint subleaf = 0; subleaf <= subleaves.Last; subleaf++)
            {
                Add(results, leaf, subleaf, isSpecific: subleaves.Leaf != 0);
            }
        }
    }

    private static void Add(List<WhvX64CpuidResult2> results, uint leaf, uint subleaf, bool isSpecific)
    {
        CpuidRegisters shown = GuestCpuid.Restrict(leaf, subleaf, new CpuidRegisters(All, All, All, All));
        if (shown != new CpuidRegisters(All, All, All, All))
        {
            results.Add(new WhvX64CpuidResult2
            {
                Function = leaf,
                Index = subleaf,
                Flags = isSpecific ? WhvX64CpuidResult2.WHvX64CpuidResult2FlagSubleafSpecific : 0,
                Mask = new WhvCpuidOutput { Eax = ~shown.Eax, Ebx = ~shown.Ebx, Ecx = ~shown.Ecx, Edx = ~shown.Edx },
            });
        }
    }
}
