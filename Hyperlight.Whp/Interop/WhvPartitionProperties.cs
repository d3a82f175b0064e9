using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>WHV_PARTITION_PROPERTY_CODE.</summary>
internal static class WhvPartitionProperties
{
    public const uint WHvPartitionPropertyCodeCpuidResultList2 = 0x0000_100D;
    public const uint WHvPartitionPropertyCodeProcessorFeaturesBanks = 0x0000_100A;
    public const uint WHvPartitionPropertyCodeProcessorCount = 0x0000_1FFF;
}

/// <summary>WHV_CPUID_OUTPUT.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WhvCpuidOutput
{
    public uint Eax;
    public uint Ebx;
    public uint Ecx;
    public uint Edx;
}

/// <summary>WHV_X64_CPUID_RESULT2: bits of one leaf that are replaced.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WhvX64CpuidResult2
{
    public const uint WHvX64CpuidResult2FlagSubleafSpecific = 1;

    public uint Function;
    public uint Index;
    public uint VpIndex;
    public uint Flags;

    /// <summary>The bits' values.</summary>
    public WhvCpuidOutput Output;

    /// <summary>Which bits are replaced.</summary>
    public WhvCpuidOutput Mask;
}
