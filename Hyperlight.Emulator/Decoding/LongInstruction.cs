using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// Tells an instruction that is too long, which is #GP, from one that does not exist, which is #UD. The decoder library calls
/// both invalid after the last byte that an instruction may have.
/// </summary>
internal static class LongInstruction
{
    public const int MostBytes = 15;

    /// <summary>Whether an invalid instruction is more than these bytes.</summary>
    public static bool IsTooLong(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MostBytes || FindDispensable(bytes) is not { } dispensable)
        {
            return false;
        }

        // A prefix less makes it a byte shorter, and changes nothing else.
        byte[] shorter = [.. bytes[..dispensable], .. bytes[(dispensable + 1)..], .. new byte[MostBytes]];
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(shorter));
        decoder.Decode(out Instruction instruction);
        return instruction.IsInvalid
            ? LengthOfUndefined(shorter) >= MostBytes || IsTooLong(shorter.AsSpan(0, MostBytes))
            : instruction.Length >= MostBytes;
    }

    /// <summary>An undefined opcode is one as soon as it is complete; in the maps of three bytes its operands belong to it.</summary>
    private static int LengthOfUndefined(ReadOnlySpan<byte> bytes)
    {
        int prefixes = CountPrefixes(bytes);
        bytes = bytes[prefixes..];
        return prefixes + (bytes[0] != 0x0F ? 1 : bytes[1] switch { 0x38 => 4, 0x3A => 5, _ => 2 });
    }

    private static int CountPrefixes(ReadOnlySpan<byte> bytes)
    {
        int count = 0;
        while (count < bytes.Length && (IsLegacy(bytes[count]) || IsRex(bytes[count])))
        {
            count++;
        }

        return count;
    }

    /// <summary>
    /// A prefix that the length does not depend on: one that is there twice, a segment, LOCK, or REX before another prefix.
    /// What is too long has at least one, because the longest instruction with one prefix of each other kind fits.
    /// </summary>
    private static int? FindDispensable(ReadOnlySpan<byte> bytes)
    {
        int count = CountPrefixes(bytes);
        for (int i = 0; i < count; i++)
        {
            byte prefix = bytes[i];
            bool isLast = i == count - 1;
            bool isRepeated = bytes[(i + 1)..count].Contains(prefix)
                || (prefix is 0xF2 or 0xF3 && bytes[(i + 1)..count].ContainsAny<byte>(0xF2, 0xF3));
            if (isRepeated || prefix == 0xF0 || IsSegment(prefix) || (IsRex(prefix) && !isLast))
            {
                return i;
            }
        }

        return null;
    }

    private static bool IsLegacy(byte value) => value is 0x66 or 0x67 or 0xF0 or 0xF2 or 0xF3 || IsSegment(value);

    private static bool IsSegment(byte value) => value is 0x26 or 0x2E or 0x36 or 0x3E or 0x64 or 0x65;

    private static bool IsRex(byte value) => value is >= 0x40 and <= 0x4F;
}
