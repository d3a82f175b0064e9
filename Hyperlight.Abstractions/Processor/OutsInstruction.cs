namespace Hyperlight.Abstractions;

/// <summary>
/// OUTS, for drivers whose hypervisor reports the instruction before it has done anything. Such a driver reads one element from
/// guest memory, reports it as an exit, and advances the registers.
/// </summary>
/// <param name="Length">Bytes of the instruction.</param>
/// <param name="SegmentPrefix"><see cref="FsPrefix"/> or <see cref="GsPrefix"/>, whose base is added to RSI; 0 for none of them.</param>
/// <param name="ChangesAddressSize">Whether addresses have the size that is not the code's: 32 bits in 64-bit code.</param>
public readonly record struct OutsInstruction(int Length, byte SegmentPrefix, bool ChangesAddressSize)
{
    /// <summary>The largest length of an instruction, in bytes.</summary>
    public const int LargestLength = 15;

    /// <summary>The prefix that selects FS.</summary>
    public const byte FsPrefix = 0x64;

    /// <summary>The prefix that selects GS.</summary>
    public const byte GsPrefix = 0x65;

    private const byte AddressSizePrefix = 0x67;
    private const ulong DirectionFlag = 1 << 10;

    /// <summary>Decodes an instruction.</summary>
    /// <param name="bytes">Guest code, which begins with the instruction.</param>
    /// <param name="instruction">The instruction.</param>
    /// <returns>Whether it is OUTS, and all of it is there.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out OutsInstruction instruction)
    {
        byte segment = 0;
        bool changesAddressSize = false;
        for (int i = 0; i < bytes.Length; i++)
        {
            switch (bytes[i])
            {
                case FsPrefix or GsPrefix:
                    segment = bytes[i];
                    break;
                case AddressSizePrefix:
                    changesAddressSize = true;
                    break;

                // The other segments have no base in 64-bit code. The operand size, REP and REX change nothing here: the
                // hypervisor says what size an element has, and whether the instruction is repeated.
                case 0x26 or 0x2E or 0x36 or 0x3E or 0x66 or 0xF2 or 0xF3 or (>= 0x40 and <= 0x4F):
                    break;
                case 0x6E or 0x6F:
                    instruction = new OutsInstruction(i + 1, segment, changesAddressSize);
                    return true;
                default:
                    instruction = default;
                    return false;
            }
        }

        instruction = default;
        return false;
    }

    /// <summary>The bits of RSI and RCX that the instruction uses.</summary>
    /// <param name="isIn64BitCode">Whether it is executed in 64-bit code; otherwise in 32-bit code.</param>
    public ulong AddressMask(bool isIn64BitCode) => isIn64BitCode && !ChangesAddressSize ? ulong.MaxValue : uint.MaxValue;

    /// <summary>RSI and RCX after one element. A register of which the instruction uses 32 bits loses its upper half.</summary>
    /// <param name="rsi">RSI before it.</param>
    /// <param name="rcx">RCX before it.</param>
    /// <param name="rflags">RFLAGS, whose direction flag says where the next element is.</param>
    /// <param name="size">Bytes of the element.</param>
    /// <param name="isRepeated">Whether the instruction has a REP prefix.</param>
    /// <param name="addressMask">The <see cref="AddressMask"/>.</param>
    public static (ulong Rsi, ulong Rcx) Advance(ulong rsi, ulong rcx, ulong rflags, byte size, bool isRepeated, ulong addressMask)
    {
        ulong step = (rflags & DirectionFlag) != 0 ? 0UL - size : size;
        return ((rsi + step) & addressMask, isRepeated ? (rcx - 1) & addressMask : rcx);
    }
}
