using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Hyperlight.Abstractions;

/// <summary>The processor of this machine, for drivers whose guests run on it.</summary>
public static class HostProcessor
{
    /// <summary>
    /// The vendor string of CPUID leaf 0, such as <c>GenuineIntel</c>; empty if the machine has no x86-64 processor.
    /// </summary>
    public static string Vendor { get; } = ReadVendor();

    /// <summary>
    /// What guests can find of this machine's processor, as a text to be compared: its features, and the version of the operating system, which
    /// may hide some of them.
    /// </summary>
    public static string Features { get; } =
        $"{RuntimeInformation.OSDescription} {(X86Base.IsSupported ? GuestCpuid.Features(Read) : string.Empty)}";

    private static CpuidRegisters Read(uint leaf, uint subleaf)
    {
        const uint RangeOfLeaf = 0x8000_0000;
        (int last, _, _, _) = X86Base.CpuId((int)(leaf & RangeOfLeaf), 0);
        if (leaf > (uint)last)
        {
            // The processor would answer with another leaf.
            return default;
        }

        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)leaf, (int)subleaf);
        return new CpuidRegisters((uint)eax, (uint)ebx, (uint)ecx, (uint)edx);
    }

    private static string ReadVendor()
    {
        if (!X86Base.IsSupported)
        {
            return string.Empty;
        }

        // Twelve letters, in an order that only history explains.
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        Span<byte> letters = stackalloc byte[3 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(letters, ebx);
        BinaryPrimitives.WriteInt32LittleEndian(letters[sizeof(int)..], edx);
        BinaryPrimitives.WriteInt32LittleEndian(letters[(2 * sizeof(int))..], ecx);
        return Encoding.ASCII.GetString(letters);
    }
}
