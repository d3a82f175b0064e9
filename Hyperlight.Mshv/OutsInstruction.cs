using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>What the prefixes of OUTS say, in 64-bit mode.</summary>
/// <param name="Length">Bytes of the instruction.</param>
/// <param name="BaseRegister">The segment register whose base is added to RSI; 0 for none.</param>
/// <param name="HasNarrowAddress">Whether the registers of the address are ESI and ECX.</param>
internal readonly record struct OutsInstruction(int Length, uint BaseRegister, bool HasNarrowAddress)
{
    /// <summary>No instruction is longer.</summary>
    public const int LargestLength = 15;

    /// <summary>Decodes an instruction.</summary>
    /// <returns>Whether it is OUTS, and all of it is there.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out OutsInstruction instruction)
    {
        uint baseRegister = 0;
        bool hasNarrowAddress = false;
        for (int i = 0; i < bytes.Length; i++)
        {
            switch (bytes[i])
            {
                case 0x64:
                    baseRegister = HvRegisterNames.HV_X64_REGISTER_FS;
                    break;
                case 0x65:
                    baseRegister = HvRegisterNames.HV_X64_REGISTER_GS;
                    break;
                case 0x67:
                    hasNarrowAddress = true;
                    break;

                // The other segments have no base. The operand size, REP and REX change nothing here: the message says what size.
                case 0x26 or 0x2E or 0x36 or 0x3E or 0x66 or 0xF2 or 0xF3 or (>= 0x40 and <= 0x4F):
                    break;
                case 0x6E or 0x6F:
                    instruction = new OutsInstruction(i + 1, baseRegister, hasNarrowAddress);
                    return true;
                default:
                    instruction = default;
                    return false;
            }
        }

        instruction = default;
        return false;
    }
}
