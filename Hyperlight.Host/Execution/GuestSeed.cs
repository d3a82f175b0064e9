using System.Security.Cryptography;

namespace Hyperlight.Host.Execution;

/// <summary>
/// The random bits that a guest is given: at its start, and after every restore, so that two sandboxes that start from one
/// snapshot do not draw the same random numbers. With a seed that the application sets, both are always the same.
/// </summary>
internal readonly struct GuestSeed(ulong? configured)
{
    /// <summary>For the guest's entry point.</summary>
    public ulong AtStart() => configured ?? Draw();

    /// <summary>For the C runtime of a guest that was put where a snapshot says.</summary>
    public uint AfterRestore() => (uint)((configured is { } seed ? Scramble(seed) : Draw()) >> 32);

    private static ulong Draw()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    /// <summary>Spreads the seed over all bits, so that neighbouring seeds give unlike numbers (the finalizer of MurmurHash3).</summary>
    private static ulong Scramble(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        value = (value ^ (value >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return value ^ (value >> 33);
    }
}
