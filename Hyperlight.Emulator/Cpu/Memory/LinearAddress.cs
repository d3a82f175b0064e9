namespace Hyperlight.Emulator.Cpu;

/// <summary>Linear addresses: 48 bits, with a sign.</summary>
internal static class LinearAddress
{
    public static bool IsCanonical(ulong address) => (ulong)((long)(address << 16) >> 16) == address;

    /// <summary>Whether a range begins and ends canonical; one that lies in both halves of the address space is neither.</summary>
    public static bool IsCanonicalRange(ulong address, int size) => IsCanonical(address) && IsCanonical(address + (ulong)size - 1);
}
