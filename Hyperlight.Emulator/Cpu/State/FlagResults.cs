using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the flags follow from: see <see cref="Cpu.Flags"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct FlagResults
{
    public const int Size = 40;

    /// <summary>ZF is set if this is zero.</summary>
    public ulong Zero;

    /// <summary>SF is its highest bit.</summary>
    public ulong Sign;

    /// <summary>CF in bit 63; OF is bit 63 unlike bit 62; AF in bit 3.</summary>
    public ulong Carries;

    /// <summary>The flags that are kept as they are: <see cref="FlagBits.OtherFlags"/>.</summary>
    public ulong Other;

    /// <summary>PF is the parity of its low byte.</summary>
    public byte Parity;

    public readonly bool Carry => (long)Carries < 0;

    public readonly bool Overflow => (long)(Carries ^ (Carries << 1)) < 0;

    public readonly bool IsZero => Zero == 0;

    public readonly bool IsNegative => (long)Sign < 0;

    public readonly bool HasEvenParity => (BitOperations.PopCount(Parity) & 1) == 0;

    /// <summary>ZF, SF and PF of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetResult(ulong result, int size)
    {
        Zero = Sign = result << (-8 * size);
        Parity = (byte)result;
    }
}
