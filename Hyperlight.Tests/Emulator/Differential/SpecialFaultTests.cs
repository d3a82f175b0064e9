using System.Buffers.Binary;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Exceptions and encodings that random operands do not reach, byte by byte.</summary>
[TestFixture(Tier.Interpreter), TestFixture(Tier.Compiled), TestFixture(Tier.Machine), NonParallelizable]
internal sealed class SpecialFaultTests(Tier tier)
{
    private const ulong NotCanonical = 0x8000_0000_0000_0000;
    private const int SingleStep = 1;
    private const int GeneralProtection = 13;
    private const ulong ResumeFlag = 0x1_0000;
    private const ulong Start = TestMemory.Code + 0x100;
    private const int LongestKnown = 15;

    private FaultRun _run = null!;

    /// <summary>Instructions of which the last byte may be the fifteenth, with the length they have without prefixes.</summary>
    private static readonly string[] Endings =
    [
        "90", "06", "0F0B", "0F04", "0F1F00", "48B88877665544332211", "81842410000000FF000000", "488184241000000000000000",
        "0F3804C1", "0F3AFFC000", "0F38F1C1", "C8000000", "A18877665544332211", "6690", "F390", "F00FB10B", "0FA4C805", "D9C0",
    ];

    [SetUp]
    public void Create()
    {
        NativeProcessor.Require();
        _run = new FaultRun(tier);
    }

    [TearDown]
    public void Destroy() => _run.Dispose();

    /// <summary>With one byte more than fifteen it is #GP, whatever it would be.</summary>
    [Test]
    public void Lengths_around_the_limit([ValueSource(nameof(Endings))] string ending)
    {
        byte[] bytes = Convert.FromHexString(ending);
        byte[][] fillers = [[0x66], [0x2E], [0x67], [0x36, 0x66], [0xF2, 0xF3], [0x48, 0x66], [0x66, 0x48], [0x3E, 0x67, 0x66, 0x48]];
        foreach (byte[] filler in fillers)
        {
            for (int length = LongestKnown - 2; length <= LongestKnown + 3; length++)
            {
                var code = new byte[Math.Max(length, bytes.Length)];
                for (int i = 0; i < code.Length - bytes.Length; i++)
                {
                    code[i] = filler[i % filler.Length];
                }

                bytes.CopyTo(code.AsSpan(code.Length - bytes.Length));
                AssertSame(code, State(), canBeUnknown: true);
            }
        }
    }

    /// <summary>0F 18 to 0F 1F, and PREFETCH in memory: hints, those of later processors too.</summary>
    [Test]
    public void Hint_instructions_do_nothing(
        [Values(0x0D, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F)] int opcode, [Values(0, 0x66, 0xF2, 0xF3)] int prefix)
    {
        for (int modRm = 0; modRm < 0x100; modRm++)
        {
            // PREFETCH of a register does nothing here and on processors of Intel; AMD's raise #UD.
            if (opcode == 0x0D && modRm >= 0xC0 && NativeVendor.Current != ProcessorVendor.Intel)
            {
                continue;
            }

            for (int rex = 0; rex < 2; rex++)
            {
                AssertSame([.. Encode(prefix, rex == 1, [0x0F, (byte)opcode], modRm)], State(), canBeUnknown: false);
            }
        }
    }

    [Test]
    public void Branches_to_addresses_that_are_not_canonical(
        [Values("FFE0", "FFD0", "C3", "C21000", "FF23", "FF13", "FF6500", "FF5500")] string hex,
        [Values(NotCanonical, 0x8000_0000_0000UL, 0xFFFF_7FFF_FFFF_FFFF, 0x7FFF_FFFF_F000UL, 0x5000UL)] ulong target)
    {
        CpuState state = State();
        state.General[CpuState.Rax] = target;
        byte[] code = Convert.FromHexString(hex);
        bool isCall = code[0] == 0xFF && (code[1] >> 3 & 7) == 2;
        BinaryPrimitives.WriteUInt64LittleEndian(_run.Operand(state.General[CpuState.Rbx]), target);
        BinaryPrimitives.WriteUInt64LittleEndian(_run.Operand(state.General[CpuState.Rbp]), target);
        BinaryPrimitives.WriteUInt64LittleEndian(_run.Operand(state.General[CpuState.Rsp]), target);

        Place(code);
        string? differences = _run.Execute(Decode(code), in state, out Fault? fault);

        if (isCall && fault is { Vector: GeneralProtection } && NativeVendor.Current != ProcessorVendor.Intel)
        {
            // AMD's processors look at the target before they write the return address, Intel's after it.
            int slot = (int)(state.General[CpuState.Rsp] - 8 - TestMemory.Data);
            Assert.That(
                BinaryPrimitives.ReadUInt64LittleEndian(_run.ActualData[slot..]), Is.EqualTo(state.Rip + (ulong)code.Length));
            FaultRun.ExpectedData[slot..(slot + 8)].CopyTo(_run.ActualData[slot..]);
            differences = _run.CompareData();
        }

        Assert.That(differences, Is.Null);
    }

    /// <summary>The page of the last byte is probed, whatever the level.</summary>
    [Test]
    public void Enter_needs_all_of_its_frame(
        [Values(0, 1, 2, 5, 31)] int level, [Values(0, 8, 0xF8, 0x100, 0x180, 0xFFFF)] int bytes, [Values] bool isNarrow)
    {
        byte[] code = [.. isNarrow ? new byte[] { 0x66 } : [], 0xC8, (byte)bytes, (byte)(bytes >> 8), (byte)level];
        foreach (ulong rsp in (ReadOnlySpan<ulong>)[TestMemory.Island + 0x100, TestMemory.Island + 0xFFC, TestMemory.Middle + 0x300])
        {
            foreach (ulong rbp in (ReadOnlySpan<ulong>)[TestMemory.Middle, TestMemory.Absent + 0x1010, 0x5000, NotCanonical])
            {
                CpuState state = State();
                state.General[CpuState.Rsp] = rsp;
                state.General[CpuState.Rbp] = rbp;
                AssertSame(code, state, canBeUnknown: false);
            }
        }
    }

    [Test]
    public void A_repeated_instruction_steps_with_its_flags_and_registers(
        [Values("F3AA", "F3A4", "F3A6", "F2A6", "F2AE", "F3AE", "F3AC", "67F3A4", "F348A5", "90")] string hex,
        [Values(1UL, 4UL)] ulong count)
    {
        byte[] code = Convert.FromHexString(hex);
        CpuState state = State();
        state.General[CpuState.Rcx] = count;
        BinaryPrimitives.WriteUInt64LittleEndian(_run.Operand(state.General[CpuState.Rsp]), state.Flags | 0x100);

        // POPFQ, and the instruction that is stepped.
        Place([0x9D, .. code]);
        Instruction instruction = Decode(code);
        instruction.Length = code.Length;
        string? differences = _run.Execute(in instruction, in state, out Fault? fault, from: 1);

        Assert.That(differences, Is.Null);
        Assert.That(fault?.Vector, Is.EqualTo(SingleStep));
        bool isUnfinished = hex != "90" && count > 1 && _run.ActualState.Rip == state.Rip + 1;
        Assert.That((_run.ActualState.Flags & ResumeFlag) != 0, Is.EqualTo(isUnfinished), "as Intel's processors");
    }

    /// <summary>All prefixes, and their pairs, on what has its address in registers that no operand names.</summary>
    [Test]
    public void Prefixes_of_string_and_table_instructions(
        [Values("D7", "A4", "A5", "A6", "A7", "AA", "AB", "AC", "AD", "AE", "AF", "0FF7C1", "660FF7C1")] string hex)
    {
        byte[] code = Convert.FromHexString(hex);
        byte[] prefixes = [0, 0x65, 0x67, 0x66, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E];
        for (int kind = 0; kind < prefixes.Length * prefixes.Length * 2; kind++)
        {
            byte first = prefixes[kind / 2 / prefixes.Length];
            byte second = prefixes[kind / 2 % prefixes.Length];

            // With a prefix of another instruction set MASKMOVQ is something else, or nothing.
            bool isVector = code.Length > 1;
            if (isVector && (first is 0x66 or 0xF2 or 0xF3 || second is 0x66 or 0xF2 or 0xF3))
            {
                continue;
            }

            byte[] all = [.. Present(first), .. Present(second), .. isVector ? [] : kind % 2 == 0 ? Present(0) : Present(0x48), .. code];
            AssertSame(all, StateOfPrefixes(all, isVector), canBeUnknown: false);
        }
    }

    private static byte[] Present(byte prefix) => prefix == 0 ? [] : [prefix];

    /// <summary>Sources are in GS where there is its prefix; narrow addresses have something above them.</summary>
    private static CpuState StateOfPrefixes(ReadOnlySpan<byte> code, bool isVector)
    {
        CpuState state = State();
        state.General[CpuState.Rax] = 0x1122_3344_5566_7788;

        // The prefixes of the segments without base are ignored: GS holds before and behind them.
        ulong start = code.Contains<byte>(0x65) ? TestMemory.GsBase : 0;
        ulong above = code.Contains<byte>(0x67) ? 0x5555_0000_0000_0000UL : 0;
        state.General[CpuState.Rbx] = (state.General[CpuState.Rbx] - start) | above;
        state.General[CpuState.Rsi] = (state.General[CpuState.Rsi] - start) | above;
        state.General[CpuState.Rdi] = (state.General[CpuState.Rdi] - (isVector ? start : 0)) | above;
        state.General[CpuState.Rcx] |= above;
        return state;
    }

    private static CpuState State()
    {
        CpuState state = default;
        var values = new OperandValues(new RandomSource(5));
        values.Fill(ref state);
        state.General[CpuState.Rax] = TestMemory.Middle - 0x80;
        state.General[CpuState.Rcx] = 3;
        state.General[CpuState.Rbx] = TestMemory.Middle;
        state.General[CpuState.Rsp] = TestMemory.Middle + 0x400;
        state.General[CpuState.Rbp] = TestMemory.Middle + 0x100;
        state.General[CpuState.Rsi] = TestMemory.Middle - 0x100;
        state.General[CpuState.Rdi] = TestMemory.Middle - 0x200;
        for (int i = 8; i < 16; i++)
        {
            state.General[i] = TestMemory.Middle + (ulong)(16 * i);
        }

        state.General[CpuState.Rdx] = TestMemory.Middle + 0x200;
        state.Flags = 0x202;
        state.Rip = Start;
        return state;
    }

    /// <summary>An instruction with operands of all forms: registers, and memory with any displacement.</summary>
    private static IEnumerable<byte> Encode(int prefix, bool wide, byte[] opcode, int modRm)
    {
        int mode = modRm >> 6;
        int operand = modRm & 7;
        int displacement = mode == 1 ? 1 : mode == 2 || (mode == 0 && operand == 5) ? 4 : 0;
        return
        [
            .. prefix == 0 ? Array.Empty<byte>() : [(byte)prefix],
            .. wide ? new byte[] { 0x48 } : [],
            .. opcode,
            (byte)modRm,
            .. mode != 3 && operand == 4 ? new byte[] { 0x23 } : [],
            .. new byte[displacement],
        ];
    }

    private static Instruction Decode(byte[] code) => Decoder.Create(64, new ByteArrayCodeReader(code)).Decode();

    private void Place(byte[] code)
    {
        _run.Placement.Begin(Start);
        foreach (byte b in code)
        {
            _run.Placement.WriteByte(b);
        }

        _run.Placement.Place();
    }

    private void AssertSame(byte[] code, CpuState state, bool canBeUnknown)
    {
        Instruction instruction = Decode(code);
        if (canBeUnknown && !instruction.IsInvalid && instruction.Encoding != EncodingKind.Legacy)
        {
            return;
        }

        Place(code);
        for (int i = 0; i < 2; i++)
        {
            Assert.That(_run.Execute(in instruction, in state, out _), Is.Null, Convert.ToHexString(code));
        }
    }
}
