using System.Buffers.Binary;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Encodes instructions into a buffer. Jumps within the buffer are relative, so that it can be placed anywhere.</summary>
internal sealed partial class Assembler
{
    private const int LongestInstruction = 16;

    private byte[] _bytes = new byte[4096];

    public int Position { get; private set; }

    /// <summary>
    /// Whether the address register holds what it held when this was set: no instruction has named it since but as the base of
    /// an address, and no other way leads here.
    /// </summary>
    public bool KeepsAddress { get; set; }

    /// <summary>Begins again with an empty buffer.</summary>
    public void Reset()
    {
        Position = 0;
        ResetLabels();
    }

    public void Jump(int label)
    {
        Byte(0xE9);
        Target(label, ShorterJump);
    }

    public void Call(int label)
    {
        Byte(0xE8);
        Target(label);
        KeepsAddress = false;
    }

    /// <summary>Puts the address of a label into a register.</summary>
    public void LoadLabel(int register, int label)
    {
        // LEA, with an address relative to the next instruction.
        Reserve();
        KeepsAddress = false;
        Byte((byte)(0x48 | (register >> 3 << 2)));
        Byte(0x8D);
        Byte((byte)(((register & 7) << 3) | 5));
        Target(label);
    }

    /// <param name="condition">As encoded, 0 to 15.</param>
    /// <param name="label">Where to go if it holds.</param>
    public void JumpIf(int condition, int label)
    {
        Byte(0x0F);
        Byte((byte)(0x80 | condition));
        Target(label, ShorterBranch);
    }

    /// <summary>An instruction with a register, or a part of the opcode in its place, and an operand.</summary>
    /// <param name="size">Bytes of the operands: chooses the prefix, and which byte registers there are.</param>
    /// <param name="opcode">One to three bytes, the first one highest.</param>
    /// <param name="register">The register, or the extension of the opcode.</param>
    /// <param name="operand">The register or memory.</param>
    public void Emit(int size, int opcode, int register, in Operand operand) =>
        Emit(size == 2 ? 0x66 : 0, size == 8, size == 1, opcode, register, in operand);

    /// <summary>The same with a prefix that belongs to the opcode, as vector instructions have it.</summary>
    public void Emit(int prefix, bool isWide, bool isByte, int opcode, int register, in Operand operand)
    {
        Reserve();
        KeepsAddress &= register != Host.Address && !(operand.IsRegister && operand.Register == Host.Address);
        if (prefix != 0)
        {
            Byte((byte)prefix);
        }

        int rex = (isWide ? 8 : 0) | (register >> 3 << 2) | (operand.Index > 7 ? 2 : 0) | (operand.Register > 7 ? 1 : 0);
        bool needsRex = isByte && (register is >= 4 and <= 7 || (operand.IsRegister && operand.Register is >= 4 and <= 7));
        if (rex != 0 || needsRex)
        {
            Byte((byte)(0x40 | rex));
        }

        if (opcode > 0xFFFF)
        {
            Byte((byte)(opcode >> 16));
        }

        if (opcode > 0xFF)
        {
            Byte((byte)(opcode >> 8));
        }

        Byte((byte)opcode);
        ModRm(register & 7, in operand);
    }

    /// <summary>RORX of the low halves of registers, which changes no flags.</summary>
    public void RotateInto(int register, int source, int count)
    {
        Reserve();
        KeepsAddress &= register != Host.Address;

        // VEX: map 0F3A, prefix F2.
        Bytes(
            0xC4,
            (byte)((register > 7 ? 0 : 0x80) | 0x40 | (source > 7 ? 0 : 0x20) | 3),
            0x7B,
            0xF0,
            (byte)(0xC0 | ((register & 7) << 3) | (source & 7)),
            (byte)count);
    }

    /// <summary>An instruction whose register is in the last byte of its opcode.</summary>
    public void EmitShort(int size, int opcode, int register)
    {
        Reserve();
        KeepsAddress &= register != Host.Address;
        int rex = (size == 8 ? 8 : 0) | (register >> 3);
        if (rex != 0)
        {
            Byte((byte)(0x40 | rex));
        }

        if (opcode > 0xFF)
        {
            Byte((byte)(opcode >> 8));
        }

        Byte((byte)(opcode | (register & 7)));
    }

    public void Byte(byte value)
    {
        if (Position == _bytes.Length)
        {
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        }

        _bytes[Position++] = value;
    }

    /// <summary>Bytes that are an instruction without operands.</summary>
    public void Bytes(params ReadOnlySpan<byte> values)
    {
        foreach (byte value in values)
        {
            Byte(value);
        }
    }

    /// <summary>An immediate of 1, 2, 4 or 8 bytes.</summary>
    public void Immediate(int size, long value)
    {
        Reserve();
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(Position), value);
        Position += size;
    }

    private void ModRm(int register, in Operand operand)
    {
        int low = operand.Register & 7;
        if (operand.IsRegister)
        {
            Byte((byte)(0xC0 | (register << 3) | low));
            return;
        }

        if (operand.Register == Operand.None)
        {
            // An address without a base, which only a SIB byte can say.
            Byte((byte)((register << 3) | 4));
            Byte((byte)((operand.Scale << 6) | ((operand.Index == Operand.None ? 4 : operand.Index & 7) << 3) | 5));
            Immediate(4, operand.Displacement);
            return;
        }

        bool needsSib = operand.Index != Operand.None || low == 4;
        int mode = operand.Displacement == 0 && low != 5 ? 0 : operand.Displacement == (sbyte)operand.Displacement ? 1 : 2;
        Byte((byte)((mode << 6) | (register << 3) | (needsSib ? 4 : low)));
        if (needsSib)
        {
            Byte((byte)((operand.Scale << 6) | ((operand.Index == Operand.None ? 4 : operand.Index & 7) << 3) | low));
        }

        if (mode != 0)
        {
            Immediate(mode == 1 ? 1 : 4, operand.Displacement);
        }
    }

    private void Reserve()
    {
        if (Position + LongestInstruction > _bytes.Length)
        {
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        }
    }
}
