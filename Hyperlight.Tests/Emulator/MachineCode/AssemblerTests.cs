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
