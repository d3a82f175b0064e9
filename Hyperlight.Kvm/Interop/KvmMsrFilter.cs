using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Kvm.Interop;

/// <summary>struct kvm_msr_filter of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmMsrFilter
{
    public const uint KVM_MSR_FILTER_DEFAULT_DENY = 1;
    public const int KVM_MSR_FILTER_MAX_RANGES = 16;

    public uint Flags;
    public uint Padding;
    public RangeArray Ranges;

    /// <summary>All ranges; those with no registers are not used.</summary>
    [InlineArray(KVM_MSR_FILTER_MAX_RANGES)]
    internal struct RangeArray
    {
        private KvmMsrFilterRange _first;
    }
}

/// <summary>struct kvm_msr_filter_range of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KvmMsrFilterRange
{
    public const uint KVM_MSR_FILTER_READ = 1;
    public const uint KVM_MSR_FILTER_WRITE = 2;

    /// <summary>Which accesses it is about.</summary>
    public uint Flags;

    /// <summary>How many registers it covers.</summary>
    public uint NMsrs;

    /// <summary>The first register.</summary>
    public uint Base;

    public uint Padding;

    /// <summary>One bit a register, set if the access is permitted; whole words.</summary>
    public byte* Bitmap;
}
