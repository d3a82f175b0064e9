using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>A filter for model-specific registers, with the rules of the kernel's documentation.</summary>
internal sealed unsafe class FakeMsrFilter
{
    private const int LargestBitmap = 0x600;
    private const uint X2ApicFirst = 0x800;
    private const uint X2ApicLast = 0x8FF;

    private readonly List<(uint Flags, uint Base, uint Count, byte[] Bitmap)> _ranges = [];
    private bool _isDenyDefault;

    /// <summary>Reads the structure; <see langword="null"/> if the kernel would refuse it.</summary>
    public static FakeMsrFilter? Copy(KvmMsrFilter* source)
    {
        FakeMsrFilter filter = new() { _isDenyDefault = source->Flags == KvmMsrFilter.KVM_MSR_FILTER_DEFAULT_DENY };
        foreach (KvmMsrFilterRange range in source->Ranges)
        {
            if (range.NMsrs == 0)
            {
                continue;
            }

            int size = (int)((range.NMsrs + 63) / 64 * 8);
            if (size > LargestBitmap || range.Flags is 0 or > 3)
            {
                return null;
            }

            filter._ranges.Add((range.Flags, range.Base, range.NMsrs, new ReadOnlySpan<byte>(range.Bitmap, size).ToArray()));
        }

        return filter._isDenyDefault && filter._ranges.Count == 0 ? null : filter;
    }

    /// <summary>Whether an access of the guest goes on to the vCPU. Those of x2APIC registers always do.</summary>
    public bool Permits(uint index, uint access)
    {
        if (index is >= X2ApicFirst and <= X2ApicLast)
        {
            return true;
        }

        foreach ((uint flags, uint first, uint count, byte[] bitmap) in _ranges)
        {
            if (index >= first && index - first < count && (flags & access) != 0)
            {
                return (bitmap[(index - first) / 8] >> (int)((index - first) % 8) & 1) != 0;
            }
        }

        return !_isDenyDefault;
    }
}
