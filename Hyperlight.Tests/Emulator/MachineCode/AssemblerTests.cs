using Hyperlight.Emulator.Compilation.X64;
using Iced.Intel;
using Assembler = Hyperlight.Emulator.Compilation.X64.Assembler;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>What is encoded is what a decoder reads: every register as register, base and index, every size of displacement.</summary>
[TestFixture]
internal sealed class AssemblerTests
{
    private const int MovToOperand = 0x89;
    private const int MovToOperandByte = 0x88;

    /// <summary>The register that no address can have as its index.</summary>
    private const int StackPointer = 4;

    private static readonly int[] Displacements = [0, 1, -128, 127, 128, -129, int.MaxValue, int.MinValue];

    [Test]
    public void Registers_are_those_asked_for([Values(1, 2, 4, 8)] int size)
    {
        for (int register = 0; register < 16; register++)
        {
            for (int operand = 0; operand < 16; operand++)
            {
                Instruction instruction = Decode(a =>
                    a.Emit(size, size == 1 ? MovToOperandByte : MovToOperand, register, Operand.Of(operand)));

                Assert.That(instruction.Mnemonic, Is.EqualTo(Mnemonic.Mov));
                Assert.That(instruction.Op0Register, Is.EqualTo(Name(operand, size)));
                Assert.That(instruction.Op1Register, Is.EqualTo(Name(register, size)));
            }
        }
    }

    [Test]
    public void Addresses_with_a_base_are_those_asked_for()
    {
        for (int register = 0; register < 16; register++)
        {
            foreach (int displacement in Displacements)
            {
                Instruction instruction = Decode(a => a.Emit(8, MovToOperand, 0, Operand.At(register, displacement)));

                Assert.That(instruction.MemoryBase, Is.EqualTo(Name(register, 8)));
                Assert.That(instruction.MemoryIndex, Is.EqualTo(Register.None));
                Assert.That((long)instruction.MemoryDisplacement64, Is.EqualTo(displacement));
            }
        }
    }

    [Test]
    public void Addresses_with_an_index_are_those_asked_for([Values(0, 1, 2, 3)] int scale)
    {
        for (int register = Operand.None; register < 16; register++)
        {
            for (int index = 0; index < 16; index++)
            {
                if (index == StackPointer)
                {
                    continue;
                }

                foreach (int displacement in Displacements)
                {
                    Instruction instruction = Decode(a =>
                        a.Emit(8, MovToOperand, 0, Operand.At(register, index, scale, displacement)));

                    Assert.That(instruction.MemoryBase, Is.EqualTo(register == Operand.None ? Register.None : Name(register, 8)));
                    Assert.That(instruction.MemoryIndex, Is.EqualTo(Name(index, 8)));
                    Assert.That(instruction.MemoryIndexScale, Is.EqualTo(1 << scale));
                    Assert.That((long)instruction.MemoryDisplacement64, Is.EqualTo(displacement));
                }
            }
        }
    }

    [Test]
    public void Jumps_go_to_their_labels_in_both_directions()
    {
        var assembler = new Assembler();
        int start = assembler.NewLabel();
        int end = assembler.NewLabel();
        assembler.Mark(start);
        assembler.Jump(end);
        assembler.JumpIf(4, start);
        assembler.Call(end);
        assembler.Mark(end);
        byte[] code = assembler.Finish().ToArray();

        Decoder decoder = Decoder.Create(64, code);
        var targets = new List<(Mnemonic, ulong)>();
        while (decoder.IP < (ulong)code.Length)
        {
            decoder.Decode(out Instruction instruction);
            targets.Add((instruction.Mnemonic, instruction.NearBranchTarget));
        }

        ulong length = (ulong)code.Length;
        Assert.That(targets, Is.EqualTo(new[] { (Mnemonic.Jmp, length), (Mnemonic.Je, 0UL), (Mnemonic.Call, length) }));
    }

    /// <summary>Also jumps whose targets are only near because those between become shorter are correct.</summary>
    [Test]
    public void Jumps_to_near_targets_are_short()
    {
        const int Jump = 2;
        const int Farthest = sbyte.MaxValue;
        for (int between = 0; between < 2 * Farthest; between++)
        {
            var assembler = new Assembler();
            int start = assembler.NewLabel();
            int middle = assembler.NewLabel();
            int end = assembler.NewLabel();
            assembler.Mark(start);
            assembler.JumpIf(5, end);
            assembler.Jump(middle);
            assembler.Mark(middle);
            for (int i = 0; i < between; i++)
            {
                assembler.Byte(0x90);
            }

            assembler.Mark(end);
            assembler.Jump(start);
            byte[] code = assembler.Finish().ToArray();

            Decoder decoder = Decoder.Create(64, code);
            Instruction first = decoder.Decode();
            Instruction second = decoder.Decode();
            Decoder last = Decoder.Create(64, code[assembler.OffsetOf(end)..]);
            last.IP = (ulong)assembler.OffsetOf(end);
            Instruction back = last.Decode();
            Assert.That(first.NearBranchTarget, Is.EqualTo((ulong)assembler.OffsetOf(end)), $"{between}");
            Assert.That(second.NearBranchTarget, Is.EqualTo((ulong)assembler.OffsetOf(middle)), $"{between}");
            Assert.That(back.NearBranchTarget, Is.Zero, $"{between}");
            Assert.That(second.Length, Is.EqualTo(Jump), "it leads to the next instruction");
            Assert.That(first.Length == Jump, Is.EqualTo(between + 5 <= Farthest), $"{between}: the other jump counts as in its long form");
            Assert.That(assembler.OffsetOf(end), Is.EqualTo(first.Length + second.Length + between));
        }
    }

    [Test]
    public void Jumps_that_places_share_lead_to_their_target()
    {
        const int Count = 100;
        const int Filling = 7;
        var assembler = new Assembler();
        int target = assembler.NewLabel();
        var jumps = new NearJumps(assembler);
        jumps.Reset(target);
        for (int i = 0; i < Count; i++)
        {
            for (int k = 0; k < Filling; k++)
            {
                assembler.Byte(0x90);
            }

            jumps.Jump();
        }

        assembler.Mark(target);
        byte[] code = assembler.Finish().ToArray();

        Dictionary<ulong, Instruction> instructions = [];
        Decoder decoder = Decoder.Create(64, code);
        while (decoder.IP < (ulong)code.Length)
        {
            decoder.Decode(out Instruction instruction);
            instructions.Add(instruction.IP, instruction);
        }

        Instruction[] all = [.. instructions.Values.Where(static instruction => instruction.Mnemonic == Mnemonic.Jmp)];
        Assert.That(all, Has.Length.EqualTo(Count));
        foreach (Instruction jump in all)
        {
            ulong to = jump.NearBranchTarget;
            to = instructions.TryGetValue(to, out Instruction next) ? next.NearBranchTarget : to;
            Assert.That(to, Is.EqualTo((ulong)code.Length));
        }

        Assert.That(all.Count(static jump => jump.Length == 2), Is.GreaterThan(Count * 3 / 4));
    }

    [Test]
    public void A_buffer_grows_with_its_code()
    {
        var assembler = new Assembler();
        for (int i = 0; i < 10_000; i++)
        {
            assembler.Emit(8, MovToOperand, 15, Operand.At(12, 9, 3, int.MaxValue));
        }

        byte[] code = assembler.Finish().ToArray();
        Decoder decoder = Decoder.Create(64, code);
        int count = 0;
        while (decoder.IP < (ulong)code.Length)
        {
            Assert.That(decoder.Decode().Op1Register, Is.EqualTo(Register.R15));
            count++;
        }

        Assert.That(count, Is.EqualTo(10_000));
    }

    private static Instruction Decode(Action<Assembler> emit)
    {
        var assembler = new Assembler();
        emit(assembler);
        byte[] code = assembler.Finish().ToArray();
        Decoder decoder = Decoder.Create(64, code);
        Instruction instruction = decoder.Decode();
        Assert.That(instruction.Length, Is.EqualTo(code.Length), "one instruction");
        return instruction;
    }

    private static Register Name(int number, int size) => size switch
    {
        8 => Register.RAX + number,
        4 => Register.EAX + number,
        2 => Register.AX + number,
        _ => (new[] { Register.AL, Register.CL, Register.DL, Register.BL, Register.SPL, Register.BPL, Register.SIL, Register.DIL }
            .Concat(Enumerable.Range(0, 8).Select(i => Register.R8L + i)).ToArray())[number],
    };
}
