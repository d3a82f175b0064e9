using System.Numerics;
using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>A policy for model-specific registers in the form of KVM_X86_SET_MSR_FILTER: what is not permitted is #GP to the guest.</summary>
internal sealed unsafe class KvmMsrFilterRanges
{
    /// <summary>Registers that share a bitmap differ only in their lower bits; a bitmap has at most 1536 bytes.</summary>
    private const int BlockShift = 13;

    private const int BitsOfWord = 64;

    private readonly List<Range> _ranges = [];

    /// <param name="policy">What is permitted.</param>
    public KvmMsrFilterRanges(MsrPolicy policy)
    {
        Policy = policy;
        Add(KvmMsrFilterRange.KVM_MSR_FILTER_READ, policy.Readable);
        Add(KvmMsrFilterRange.KVM_MSR_FILTER_WRITE, policy.Writable);
        if (_ranges.Count == 0)
        {
            // KVM refuses a filter that denies everything and has no range; this one permits nothing.
            _ranges.Add(new Range(KvmMsrFilterRange.KVM_MSR_FILTER_READ | KvmMsrFilterRange.KVM_MSR_FILTER_WRITE, 0, new ulong[1]));
        }
    }

    /// <summary>The policy.</summary>
    public MsrPolicy Policy { get; }

    /// <summary>Makes it the filter of a machine.</summary>
    /// <returns>0 or a negative errno.</returns>
    public int Apply(FileDescriptorHandle machine)
    {
        int words = 0;
        foreach (Range range in _ranges)
        {
            words += range.Bitmap.Length;
        }

        ulong[] bitmaps = new ulong[words];

        // SAFETY: each range's bitmap lies in the array, which stays where it is until KVM has copied it.
        fixed (ulong* first = bitmaps)
        {
            KvmMsrFilter filter = new() { Flags = KvmMsrFilter.KVM_MSR_FILTER_DEFAULT_DENY };
            ulong* next = first;
            for (int i = 0; i < _ranges.Count; i++)
            {
                Range range = _ranges[i];
                range.Bitmap.CopyTo(new Span<ulong>(next, range.Bitmap.Length));
                filter.Ranges[i] = new KvmMsrFilterRange
                {
                    Flags = range.Flags,
                    Base = range.Base,
                    NMsrs = (uint)(range.Bitmap.Length * BitsOfWord),
                    Bitmap = (byte*)next,
                };
                next += range.Bitmap.Length;
            }

            return machine.Ioctl(KvmIoctls.KVM_X86_SET_MSR_FILTER, &filter);
        }
    }

    private void Add(uint flags, IEnumerable<uint> registers)
    {
        foreach (IGrouping<uint, uint> block in registers.GroupBy(static index => index >> BlockShift))
        {
            uint first = block.Min() & ~(BitsOfWord - 1u);
            ulong[] bitmap = new ulong[((block.Max() - first) / BitsOfWord) + 1];
            foreach (uint index in block)
            {
                bitmap[(index - first) / BitsOfWord] |= BitOperations.RotateLeft(1UL, (int)(index - first));
            }

            _ranges.Add(new Range(flags, first, bitmap));
        }
    }

    private sealed record Range(uint Flags, uint Base, ulong[] Bitmap);
}
