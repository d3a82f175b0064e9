using System.Numerics;
using System.Runtime.Intrinsics;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the string compares of SSE4.2 compute, as their immediate operand says.</summary>
internal readonly struct StringComparison(byte control)
{
    private bool IsWords => (control & 1) != 0;

    private bool IsSigned => (control & 2) != 0;

    /// <summary>How many elements a vector has.</summary>
    public int Elements => IsWords ? 8 : 16;

    /// <summary>The length of a string that ends before its first zero.</summary>
    public int ImplicitLength(Vector128<byte> text)
    {
        uint zeros = IsWords
            ? Vector128.Equals(text.AsUInt16(), Vector128<ushort>.Zero).ExtractMostSignificantBits()
            : Vector128.Equals(text, Vector128<byte>.Zero).ExtractMostSignificantBits();
        return Math.Min(BitOperations.TrailingZeroCount(zeros), Elements);
    }

    /// <summary>The bit of each element of <paramref name="text"/>: what the manuals call IntRes2.</summary>
    public uint Compare(Vector128<byte> pattern, int patternLength, Vector128<byte> text, int textLength)
    {
        uint result = (control >> 2 & 3) switch
        {
            0 => EqualAny(pattern, patternLength, text, textLength),
            1 => Ranges(pattern, patternLength, text, textLength),
            2 => EqualEach(pattern, patternLength, text, textLength),
            _ => EqualOrdered(pattern, patternLength, text, textLength),
        };
        uint all = (1u << Elements) - 1;
        return (control >> 4 & 3) switch
        {
            1 => result ^ all,
            3 => result ^ ((1u << textLength) - 1),
            _ => result,
        };
    }

    /// <summary>The first or last bit that is set, or the number of elements.</summary>
    public int ToIndex(uint result) =>
        result == 0 ? Elements : (control & 0x40) != 0 ? BitOperations.Log2(result) : BitOperations.TrailingZeroCount(result);

    /// <summary>The bits as they are, or as all bits of the elements.</summary>
    public Vector128<byte> ToMask(uint result)
    {
        if ((control & 0x40) == 0)
        {
            return Vector128.CreateScalar((ulong)result).AsByte();
        }

        Vector128<byte> mask = default;
        int width = 16 / Elements;
        for (int i = 0; i < 16; i++)
        {
            mask = mask.WithElement(i, (byte)((result >> (i / width) & 1) != 0 ? 0xFF : 0));
        }

        return mask;
    }

    private int Element(Vector128<byte> vector, int index) => IsWords
        ? (IsSigned ? vector.AsInt16()[index] : vector.AsUInt16()[index])
        : (IsSigned ? vector.AsSByte()[index] : vector[index]);

    /// <summary>Is the element one of those of the pattern?</summary>
    private uint EqualAny(Vector128<byte> pattern, int patternLength, Vector128<byte> text, int textLength)
    {
        uint result = 0;
        for (int j = 0; j < textLength; j++)
        {
            for (int i = 0; i < patternLength; i++)
            {
                result |= Element(text, j) == Element(pattern, i) ? 1u << j : 0;
            }
        }

        return result;
    }

    /// <summary>Is the element between the bounds of a pair of the pattern? Half a pair is none.</summary>
    private uint Ranges(Vector128<byte> pattern, int patternLength, Vector128<byte> text, int textLength)
    {
        uint result = 0;
        for (int j = 0; j < textLength; j++)
        {
            int element = Element(text, j);
            for (int i = 0; i + 1 < patternLength; i += 2)
            {
                result |= element >= Element(pattern, i) && element <= Element(pattern, i + 1) ? 1u << j : 0;
            }
        }

        return result;
    }

    /// <summary>Is the element that of the pattern? Behind the ends of both it is.</summary>
    private uint EqualEach(Vector128<byte> pattern, int patternLength, Vector128<byte> text, int textLength)
    {
        uint result = 0;
        for (int i = 0; i < Elements; i++)
        {
            bool isEqual = i < patternLength && i < textLength
                ? Element(pattern, i) == Element(text, i)
                : i >= patternLength && i >= textLength;
            result |= isEqual ? 1u << i : 0;
        }

        return result;
    }

    /// <summary>Does the pattern, or as much of it as there is room for, start here?</summary>
    private uint EqualOrdered(Vector128<byte> pattern, int patternLength, Vector128<byte> text, int textLength)
    {
        uint result = 0;
        for (int j = 0; j < Elements; j++)
        {
            bool isFound = true;
            for (int i = 0; isFound && i < patternLength && i + j < Elements; i++)
            {
                isFound = i + j < textLength && Element(text, i + j) == Element(pattern, i);
            }

            result |= isFound ? 1u << j : 0;
        }

        return result;
    }
}
