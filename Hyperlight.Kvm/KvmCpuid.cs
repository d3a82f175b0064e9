using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// The CPUID leaves that KVM supports, less what is hidden from guests, as KVM_SET_CPUID2 takes them. Safe to use from any
/// thread.
/// </summary>
internal sealed unsafe class KvmCpuid
{
    private const int FirstGuess = 128;
    private const int MostEntries = 4096;

    /// <summary>The leaf whose EAX[7:0] is the width of guest physical addresses.</summary>
    private const uint AddressSizesLeaf = 0x8000_0008;

    /// <summary>The leaf and the bit of EBX that show IA32_TSC_ADJUST.</summary>
    private const uint FeaturesLeaf = 7;
    private const uint TscAdjust = 1 << 1;

    private readonly byte[] _supported;
    private Variant? _last;

    private KvmCpuid(byte[] supported) => _supported = supported;

    /// <summary>Asks the device.</summary>
    /// <returns>0 or an errno.</returns>
    public static int Read(FileDescriptorHandle device, out KvmCpuid? cpuid)
    {
        cpuid = null;
        for (int entries = FirstGuess; entries <= MostEntries; entries *= 2)
        {
            byte[] buffer = new byte[sizeof(KvmCpuid2) + (entries * sizeof(KvmCpuidEntry2))];
            int result;
            uint count;
            // SAFETY: the header says how many entries the buffer has room for, and the kernel writes no more.
            fixed (byte* pointer = buffer)
            {
                KvmCpuid2* header = (KvmCpuid2*)pointer;
                header->NEnt = (uint)entries;
                result = device.Ioctl(KvmIoctls.KVM_GET_SUPPORTED_CPUID, header);
                count = header->NEnt;
            }

            if (result >= 0)
            {
                int used = (int)Math.Min(count, (uint)entries);
                cpuid = new KvmCpuid(buffer[..(sizeof(KvmCpuid2) + (used * sizeof(KvmCpuidEntry2)))]);
                return 0;
            }

            if (result != -Errno.E2BIG)
            {
                return -result;
            }
        }

        return Errno.E2BIG;
    }

    /// <inheritdoc cref="GuestCpuid.Features"/>
    public string Features() => GuestCpuid.Features(Find);

    /// <summary>The structure for KVM_SET_CPUID2; not to be changed.</summary>
    /// <param name="physicalAddressBits">The width of guest physical addresses to report.</param>
    /// <param name="showsTscAdjust">
    /// Whether IA32_TSC_ADJUST is shown: unless it is, KVM ignores what the host writes to it, but not what the guest writes to
    /// the counter.
    /// </param>
    public ReadOnlySpan<byte> WithPhysicalAddressBits(byte physicalAddressBits, bool showsTscAdjust)
    {
        Variant? last = _last;
        if (last is null || last.PhysicalAddressBits != physicalAddressBits || last.ShowsTscAdjust != showsTscAdjust)
        {
            _last = last = new Variant(physicalAddressBits, showsTscAdjust, Build(physicalAddressBits, showsTscAdjust));
        }

        return last.Structure;
    }

    private CpuidRegisters Find(uint leaf, uint subleaf)
    {
        foreach (ref readonly KvmCpuidEntry2 entry in
            MemoryMarshal.Cast<byte, KvmCpuidEntry2>(_supported.AsSpan(Unsafe.SizeOf<KvmCpuid2>())))
        {
            if (entry.Function == leaf && entry.Index == subleaf)
            {
                return new CpuidRegisters(entry.Eax, entry.Ebx, entry.Ecx, entry.Edx);
            }
        }

        return default;
    }

    private byte[] Build(byte physicalAddressBits, bool showsTscAdjust)
    {
        byte[] structure = [.. _supported];
        foreach (ref KvmCpuidEntry2 entry in
            MemoryMarshal.Cast<byte, KvmCpuidEntry2>(structure.AsSpan(Unsafe.SizeOf<KvmCpuid2>())))
        {
            CpuidRegisters shown = GuestCpuid.Restrict(
                entry.Function, entry.Index, new CpuidRegisters(entry.Eax, entry.Ebx, entry.Ecx, entry.Edx));
            uint tscAdjust = showsTscAdjust && entry is { Function: FeaturesLeaf, Index: 0 } ? entry.Ebx & TscAdjust : 0;
            (entry.Eax, entry.Ebx, entry.Ecx, entry.Edx) = shown with { Ebx = shown.Ebx | tscAdjust };
            if (entry.Function == AddressSizesLeaf)
            {
                entry.Eax = (entry.Eax & ~0xFFu) | physicalAddressBits;
            }
        }

        return structure;
    }

    private sealed record Variant(byte PhysicalAddressBits, bool ShowsTscAdjust, byte[] Structure);
}
