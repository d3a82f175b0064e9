using System.Buffers.Binary;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The differences between vendors that the comparison knows. docs/emulator.md says which of them the machine has.</summary>
internal static class VendorDifferences
{
    private const ulong UpperHalf = 0xFFFF_FFFF_0000_0000;

    public static IReadOnlyList<VendorDifference> All { get; } =
    [
        new(
            ProcessorVendor.Intel,
            "A repeated string instruction with 32-bit addresses and ECX = 0 clears the upper halves of RCX, RSI and RDI.",
            (in Instruction i) => i.IsStringInstruction && IsRepeated(in i) && HasNarrowAddress(in i),
            ClearUnusedCounters),
        new(
            ProcessorVendor.Intel,
            "Of several NaNs, each lane of the result of DPPS and DPPD has one, and not every lane has the same.",
            (in Instruction i) => i.Mnemonic is Mnemonic.Dpps or Mnemonic.Dppd,
            ChooseNaNs),
        new(
            ProcessorVendor.Intel,
            "BSF and BSR of zero leave the destination undefined.",
            (in Instruction i) => i.Mnemonic is Mnemonic.Bsf or Mnemonic.Bsr,
            LoseScanned),
        new(
            ProcessorVendor.Amd,
            "FCOMI and its variants leave C1, which others clear.",
            (in Instruction i) => IsCompareToFlags(in i),
            TakeCondition1),
        new(
            ProcessorVendor.Amd,
            "A fault at a later element of a repeated CMPS or SCAS leaves the flags of the element before.",
            (in Instruction i) => IsComparison(in i) && IsRepeated(in i),
            TakeFlagsOfComparison),
        new(
            ProcessorVendor.Amd,
            "A step between two elements of a repeated instruction does not set RF.",
            (in Instruction i) => i.IsStringInstruction && IsRepeated(in i),
            ForgetResume),
    ];

    /// <summary>Whether results of an instruction may differ from those of a vendor's processors.</summary>
    public static bool Concern(ProcessorVendor vendor, in Instruction instruction)
    {
        foreach (VendorDifference difference in All)
        {
            if (difference.IsOf(vendor) && difference.Concerns(in instruction))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Makes of the machine's result what a vendor's processor gives, if it gave that.</summary>
    public static void Apply(ProcessorVendor vendor, Results results)
    {
        Instruction instruction = results.Instruction;
        foreach (VendorDifference difference in All)
        {
            if (difference.IsOf(vendor) && difference.Concerns(in instruction))
            {
                difference.Apply(results);
            }
        }
    }

    /// <summary>
    /// Whether the processor reports the second operand of CMPS where the machine reports the first: if neither can be read, some processors of
    /// AMD begin with the second.
    /// </summary>
    /// <param name="instruction">The instruction that raised the exceptions.</param>
    /// <param name="state">The state of the machine.</param>
    /// <param name="expected">The exception of the processor.</param>
    /// <param name="actual">The exception of the machine.</param>
    public static bool IsOfOtherOperand(in Instruction instruction, in CpuState state, Fault? expected, Fault? actual)
    {
        if (actual is null || expected is not { } fault || !IsComparison(in instruction) || instruction.Op0Kind == OpKind.Register)
        {
            return false;
        }

        ulong mask = instruction.Op1Kind == OpKind.MemoryESEDI ? uint.MaxValue : ulong.MaxValue;
        ulong first = state.General[CpuState.Rdi] & mask;
        ulong size = (ulong)instruction.MemorySize.GetSize();
        return fault.Vector == Fault.PageFault
            ? fault.Cr2 - first < size
            : fault.Vector == Fault.GeneralProtection && !(IsCanonical(first) && IsCanonical(first + size - 1));
    }

    private static bool IsCanonical(ulong address) => (ulong)((long)(address << 16) >> 16) == address;

    private static void ClearUnusedCounters(Results results)
    {
        if ((uint)results.Input.General[CpuState.Rcx] != 0)
        {
            return;
        }

        foreach (int register in (ReadOnlySpan<int>)[CpuState.Rcx, CpuState.Rsi, CpuState.Rdi])
        {
            ulong cleared = results.Input.General[register] & ~UpperHalf;
            if (results.Expected.General[register] == cleared)
            {
                results.Actual.General[register] = cleared;
            }
        }
    }

    private static void ChooseNaNs(Results results)
    {
        int size = results.Instruction.Mnemonic == Mnemonic.Dpps ? 4 : 8;
        int register = results.Instruction.Op0Register - Register.XMM0;
        Span<byte> actual = ((Span<byte>)results.Actual.Fx).Slice(FxImage.XmmOffset + (16 * register), 16);
        HashSet<ulong> possible = [.. NaNs(results.Input.Xmm(register), size), .. NaNs(results.Source, size)];
        for (int i = 0; i < 16; i += size)
        {
            ulong lane = Lane(results.Expected.Xmm(register)[i..], size);
            if (IsNaN(Lane(actual[i..], size), size) && possible.Contains(lane))
            {
                results.Expected.Xmm(register).Slice(i, size).CopyTo(actual[i..]);
            }
        }
    }

    /// <summary>The NaNs of an operand, made quiet, and the one that an invalid operation gives.</summary>
    private static List<ulong> NaNs(ReadOnlySpan<byte> operand, int size)
    {
        ulong quiet = size == 4 ? 0x0040_0000UL : 0x0008_0000_0000_0000;
        List<ulong> found = [size == 4 ? 0xFFC0_0000UL : 0xFFF8_0000_0000_0000];
        for (int i = 0; i < operand.Length; i += size)
        {
            ulong lane = Lane(operand[i..], size);
            if (IsNaN(lane, size))
            {
                found.Add(lane | quiet);
            }
        }

        return found;
    }

    private static ulong Lane(ReadOnlySpan<byte> bytes, int size) => size == 4
        ? BinaryPrimitives.ReadUInt32LittleEndian(bytes)
        : BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static bool IsNaN(ulong bits, int size) => size == 4
        ? (bits & 0x7FFF_FFFF) > 0x7F80_0000
        : (bits & (ulong.MaxValue >> 1)) > 0x7FF0_0000_0000_0000;

    private static void LoseScanned(Results results)
    {
        int register = results.Instruction.Op0Register.GetFullRegister() - Register.RAX;
        if ((results.Expected.Flags & UndefinedResults.Zero) != 0)
        {
            results.Actual.General[register] = results.Expected.General[register];
        }
    }

    private static void TakeCondition1(Results results)
    {
        const ushort C1 = 0x200;
        results.Actual.StatusWord = (ushort)((results.Actual.StatusWord & ~C1) | (results.Expected.StatusWord & C1));
    }

    private static void TakeFlagsOfComparison(Results results)
    {
        if (results.Fault is not null && results.Expected.General[CpuState.Rcx] != results.Input.General[CpuState.Rcx])
        {
            results.Actual.Flags = (results.Actual.Flags & ~UndefinedResults.AllFlags)
                | (results.Expected.Flags & UndefinedResults.AllFlags);
        }
    }

    private static void ForgetResume(Results results)
    {
        const ulong Resume = 0x1_0000;
        if (results.Fault is { Vector: 1 } && results.Expected.Rip != results.Input.Rip + (ulong)results.Instruction.Length)
        {
            results.Actual.Flags &= ~Resume;
        }
    }

    private static bool IsRepeated(in Instruction instruction) =>
        instruction.HasRepPrefix || instruction.HasRepePrefix || instruction.HasRepnePrefix;

    private static bool HasNarrowAddress(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) is OpKind.MemorySegESI or OpKind.MemoryESEDI or OpKind.MemorySegEDI)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsComparison(in Instruction instruction) => instruction.IsStringInstruction && instruction.Mnemonic is
        Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq
        or Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq;

    private static bool IsCompareToFlags(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Fcomi or Mnemonic.Fcomip or Mnemonic.Fucomi or Mnemonic.Fucomip;
}
