using System.Runtime.InteropServices;

namespace Hyperlight.Mshv.Interop;

/// <summary>
/// struct mshv_create_partition_v2 of linux/mshv.h. Kernels up to Linux 6.18 read the first 16 bytes, struct
/// mshv_create_partition, and refuse the flag that says there are more. All zero, every kernel takes it.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct MshvCreatePartitionV2
{
    public const ushort MSHV_NUM_CPU_FEATURES_BANKS = 2;

    /// <summary>1 &lt;&lt; MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES.</summary>
    public const ulong MSHV_PT_CPU_AND_XSAVE_FEATURES = 1 << 3;

    [FieldOffset(0)]
    public ulong PtFlags;

    [FieldOffset(8)]
    public ulong PtIsolation;

    [FieldOffset(16)]
    public ushort PtNumCpuFbanks;

    /// <summary>Features that are disabled, each by a bit of <see cref="HvProcessorFeatures0"/>.</summary>
    [FieldOffset(24)]
    public ulong PtCpuFbanks0;

    /// <summary>Features that are disabled, each by a bit of <see cref="HvProcessorFeatures1"/>.</summary>
    [FieldOffset(32)]
    public ulong PtCpuFbanks1;

    /// <summary>Features that are disabled, each by a bit of <see cref="HvXsaveFeatures"/>.</summary>
    [FieldOffset(56)]
    public ulong PtDisabledXsave;
}

/// <summary>struct mshv_create_vp of linux/mshv.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MshvCreateVp
{
    public uint VpIndex;
}

/// <summary>struct mshv_user_mem_region of linux/mshv.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct MshvUserMemRegion
{
    public const byte MSHV_SET_MEM_WRITABLE = 1 << 0;
    public const byte MSHV_SET_MEM_EXECUTABLE = 1 << 1;
    public const byte MSHV_SET_MEM_UNMAP = 1 << 2;

    [FieldOffset(0)]
    public ulong Size;

    [FieldOffset(8)]
    public ulong GuestPfn;

    [FieldOffset(16)]
    public ulong UserspaceAddr;

    [FieldOffset(24)]
    public byte Flags;
}

/// <summary>struct mshv_root_hvcall of linux/mshv.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct MshvRootHvcall
{
    [FieldOffset(0)]
    public ushort Code;

    /// <summary>In: how many repetitions. Out: how many were completed.</summary>
    [FieldOffset(2)]
    public ushort Reps;

    [FieldOffset(4)]
    public ushort InSz;

    [FieldOffset(6)]
    public ushort OutSz;

    /// <summary>Out: HV_STATUS.</summary>
    [FieldOffset(8)]
    public ushort Status;

    [FieldOffset(16)]
    public void* InPtr;

    [FieldOffset(24)]
    public void* OutPtr;
}

/// <summary>struct mshv_get_set_vp_state of linux/mshv.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct MshvGetSetVpState
{
    public const byte MSHV_VP_STATE_XSAVE = 1;

    [FieldOffset(0)]
    public byte Type;

    /// <summary>In: whole pages. Out: bytes of the state.</summary>
    [FieldOffset(4)]
    public uint BufSz;

    [FieldOffset(8)]
    public void* BufPtr;
}
