using System.Globalization;
using System.Text;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The differences between what the processor and the managed machine made of the same state.</summary>
internal readonly ref struct Comparison
{
    /// <summary>Who made the processor.</summary>
    public ProcessorVendor Vendor { get; init; }

    public UndefinedResults Undefined { get; init; }

    /// <summary>The address of the memory operand, or 0.</summary>
    public ulong OperandAddress { get; init; }

    /// <summary>What the memory operand was.</summary>
    public ReadOnlySpan<byte> Memory { get; init; }

    /// <summary>The exception that the processor raised.</summary>
    public Fault? Fault { get; init; }

    /// <summary>All differences in defined results, or <see langword="null"/> if there is none.</summary>
    public string? Compare(
        in Instruction instruction, in CpuState input, in CpuState expected, in CpuState actual,
        ReadOnlySpan<byte> expectedData, ReadOnlySpan<byte> actualData)
    {
        // The common case costs no text, and no copy.
        if (Find(in instruction, in expected, in actual, expectedData, actualData) is not { } differences)
        {
            return null;
        }

        if (!VendorDifferences.Concern(Vendor, in instruction))
        {
            return differences;
        }

        var results = new Results
        {
            Instruction = instruction,
            Input = input,
            Expected = expected,
            Actual = actual,
            Memory = Memory.ToArray(),
            Fault = Fault,
        };
        VendorDifferences.Apply(Vendor, results);
        return Find(in instruction, in expected, in results.Actual, expectedData, actualData);
    }

    private string? Find(
        in Instruction instruction, in CpuState expected, in CpuState actual, ReadOnlySpan<byte> expectedData,
        ReadOnlySpan<byte> actualData)
    {
        UndefinedResults undefined = Undefined;
        StringBuilder? text = null;
        for (int i = 0; i < 16; i++)
        {
            if (expected.General[i] != actual.General[i] && (undefined.Registers >> i & 1) == 0)
            {
                Add(ref text, CpuState.NameOf(i), expected.General[i], actual.General[i]);
            }
        }

        if (((expected.Flags ^ actual.Flags) & ~undefined.Flags) != 0)
        {
            Add(ref text, "rflags", expected.Flags & ~undefined.Flags, actual.Flags & ~undefined.Flags);
        }

        CompareFx(ref text, in expected, in actual, in undefined, in instruction);
        CompareData(ref text, expectedData, actualData, in undefined, OperandAddress);
        return text?.ToString();
    }

    private static void CompareFx(
        ref StringBuilder? text, in CpuState expected, in CpuState actual, in UndefinedResults undefined, in Instruction instruction)
    {
        if (expected.Mxcsr != actual.Mxcsr)
        {
            Add(ref text, "mxcsr", expected.Mxcsr, actual.Mxcsr);
        }

        if (expected.ControlWord != actual.ControlWord)
        {
            Add(ref text, "fcw", expected.ControlWord, actual.ControlWord);
        }

        // Whether a transcendental result was rounded, and how, follows from the digits that are not compared.
        int ignored = undefined.StatusWord | (ApproximateResults.IsTranscendental(instruction.Mnemonic) ? 0x238 : 0);
        if (((expected.StatusWord ^ actual.StatusWord) & ~ignored) != 0)
        {
            Add(ref text, "fsw", (ulong)(expected.StatusWord & ~ignored), (ulong)(actual.StatusWord & ~ignored));
        }

        if (expected.TagWord != actual.TagWord)
        {
            Add(ref text, "ftw", expected.TagWord, actual.TagWord);
        }

        for (int i = 0; i < 8; i++)
        {
            if (!expected.St(i).SequenceEqual(actual.St(i)) && !(ApproximateResults.IsApproximateStack(in instruction, i)
                && ApproximateResults.AreNearExtended(expected.St(i), actual.St(i))))
            {
                Add(ref text, $"st{i}", expected.St(i), actual.St(i));
            }
        }

        for (int i = 0; i < 16; i++)
        {
            if (!expected.Xmm(i).SequenceEqual(actual.Xmm(i))
                && !ApproximateResults.AreNearSingles(in instruction, i, expected.Xmm(i), actual.Xmm(i)))
            {
                Add(ref text, $"xmm{i}", expected.Xmm(i), actual.Xmm(i));
            }
        }
    }

    private static void CompareData(
        ref StringBuilder? text, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, in UndefinedResults undefined,
        ulong operandAddress)
    {
        if (expected.SequenceEqual(actual))
        {
            return;
        }

        int operand = (int)(operandAddress - TestMemory.Data);
        for (int i = 0; i < expected.Length; i++)
        {
            bool isUndefined = (undefined.Memory && i >= operand && i < operand + 8)
                || Contains(undefined.FirstBytes, i - operand) || Contains(undefined.SecondBytes, i - operand);
            if (expected[i] != actual[i] && !isUndefined)
            {
                Add(ref text, $"[{TestMemory.Data + (ulong)i:X}] (operand {i - operand:+0;-0;+0})", expected[i], actual[i]);
            }
        }
    }

    private static bool Contains(Range range, int offset) => offset >= range.Start.Value && offset < range.End.Value;

    private static void Add(ref StringBuilder? text, string name, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual) =>
        Line(ref text, name, CpuState.Hex(expected), CpuState.Hex(actual));

    private static void Add(ref StringBuilder? text, string name, ulong expected, ulong actual) =>
        Line(ref text, name, expected.ToString("X", CultureInfo.InvariantCulture), actual.ToString("X", CultureInfo.InvariantCulture));

    private static void Line(ref StringBuilder? text, string name, string expected, string actual)
    {
        text ??= new StringBuilder();
        if (text.Length < 2000)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {name}: native {expected}, emulator {actual}\n");
        }
    }
}
