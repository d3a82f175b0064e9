using System.Buffers.Binary;
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
