using System.Buffers.Binary;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 control instructions.</summary>
internal sealed unsafe class X87ControlInstructions(ProcessorState* state, LinearMemory memory, Operands operands, X87Registers x87)
{
    private const int ShortEnvironment = 14;
    private const int LongEnvironment = 28;

    /// <summary>Bit 6 of the control word is always set; 7, 13, 14 and 15 cannot be.</summary>
    public const int ControlSet = 0x40;
    public const int ControlBits = 0x1F7F;

    public bool Execute(ref MicroOp op, X87Op operation)
    {
        if (operation < X87Op.Wait)
        {
            x87.Note(ref op);
        }

        switch (operation)
        {
            case X87Op.Free:
                x87.FreeSt(op.DestinationRegister);
                x87.SetCondition1(false);
                if (((X87Form)op.Function & X87Form.Pop) != 0)
                {
                    x87.PopSt();
                }

                return true;
            case X87Op.IncrementTop: x87.Top++; x87.SetCondition1(false); return true;
            case X87Op.DecrementTop: x87.Top--; x87.SetCondition1(false); return true;
            case X87Op.LoadControl:
                if (!memory.Load(operands.Address(ref op), 2, out ulong control))
                {
                    return false;
                }

                SetControl((ushort)control);
                return true;
            case X87Op.Initialize: x87.Initialize(); return true;
            case X87Op.ClearExceptions: state->X87.Status &= 0x7F00; return true;
            case X87Op.StoreControl: return StoreWord(ref op, state->X87.Control);
            case X87Op.StoreStatus: return StoreWord(ref op, state->X87.Status);
            case X87Op.LoadEnvironment: return LoadEnvironment(ref op);
            case X87Op.StoreEnvironment: return StoreEnvironment(ref op);
            case X87Op.Save: return Save(ref op);
            case X87Op.Restore: return Restore(ref op);
            default: return true;
        }
    }

    private bool StoreWord(ref MicroOp op, ushort value)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return memory.Store(operands.Address(ref op), 2, value);
        }

        operands.WriteRegister(Rax, 2, value);
        return true;
    }

    private void SetControl(ushort value)
    {
        state->X87.Control = (ushort)((value & ControlBits) | ControlSet);
        x87.UpdateSummary();
    }

    private bool StoreEnvironment(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[op.Size == 2 ? ShortEnvironment : LongEnvironment];
        WriteEnvironment(image);
        if (!memory.StoreBytes(operands.Address(ref op), image))
        {
            return false;
        }

        // A handler that looks at the environment is not to be interrupted by what it looks at.
        SetControl((ushort)(state->X87.Control | X87Registers.Exceptions));
        return true;
    }

    private bool LoadEnvironment(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[op.Size == 2 ? ShortEnvironment : LongEnvironment];
        if (!memory.LoadBytes(operands.Address(ref op), image))
        {
            return false;
        }

        ReadEnvironment(image);
        return true;
    }

    private bool Save(ref MicroOp op)
    {
        int length = op.Size == 2 ? ShortEnvironment : LongEnvironment;
        Span<byte> image = stackalloc byte[length + (8 * X87Operands.ExtendedSize)];
        WriteEnvironment(image[..length]);
        for (int i = 0; i < 8; i++)
        {
            Span<byte> register = image[(length + (i * X87Operands.ExtendedSize))..];
            BinaryPrimitives.WriteUInt64LittleEndian(register, x87.St(i).Significand);
            BinaryPrimitives.WriteUInt16LittleEndian(register[8..], x87.St(i).SignExponent);
        }

        if (!memory.StoreBytes(operands.Address(ref op), image))
        {
            return false;
        }

        x87.Initialize();
        return true;
    }

    private bool Restore(ref MicroOp op)
    {
        int length = op.Size == 2 ? ShortEnvironment : LongEnvironment;
        Span<byte> image = stackalloc byte[length + (8 * X87Operands.ExtendedSize)];
        if (!memory.LoadBytes(operands.Address(ref op), image))
        {
            return false;
        }

        ReadEnvironment(image[..length]);
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image[(length + (i * X87Operands.ExtendedSize))..];
            state->X87.Registers[(x87.Top + i) & 7] = new Float80(
                BinaryPrimitives.ReadUInt16LittleEndian(register[8..]), BinaryPrimitives.ReadUInt64LittleEndian(register));
        }

        return true;
    }

    /// <summary>The environment in the form of 16-bit or 32-bit protected mode, without selectors.</summary>
    private void WriteEnvironment(Span<byte> image)
    {
        image.Clear();
        if (image.Length == ShortEnvironment)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(image, state->X87.Control);
            BinaryPrimitives.WriteUInt16LittleEndian(image[2..], state->X87.Status);
            BinaryPrimitives.WriteUInt16LittleEndian(image[4..], FullTagWord());
            BinaryPrimitives.WriteUInt16LittleEndian(image[6..], (ushort)state->X87.Instruction);
            BinaryPrimitives.WriteUInt16LittleEndian(image[10..], (ushort)state->X87.Operand);
            return;
        }

        // Reserved halves are ones.
        const uint reserved = 0xFFFF_0000;
        BinaryPrimitives.WriteUInt32LittleEndian(image, reserved | state->X87.Control);
        BinaryPrimitives.WriteUInt32LittleEndian(image[4..], reserved | state->X87.Status);
        BinaryPrimitives.WriteUInt32LittleEndian(image[8..], reserved | FullTagWord());
        BinaryPrimitives.WriteUInt32LittleEndian(image[12..], (uint)state->X87.Instruction);
        BinaryPrimitives.WriteUInt32LittleEndian(image[16..], (uint)state->X87.Opcode << 16);
        BinaryPrimitives.WriteUInt32LittleEndian(image[20..], (uint)state->X87.Operand);
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], reserved);
    }

    private void ReadEnvironment(ReadOnlySpan<byte> image)
    {
        bool isShort = image.Length == ShortEnvironment;
        int step = isShort ? 2 : 4;
        state->X87.Status = BinaryPrimitives.ReadUInt16LittleEndian(image[step..]);
        ushort tags = BinaryPrimitives.ReadUInt16LittleEndian(image[(2 * step)..]);
        state->X87.Used = 0;
        for (int i = 0; i < 8; i++)
        {
            state->X87.Used |= (byte)(((tags >> (2 * i)) & 3) == EmptyTag ? 0 : 1 << i);
        }

        state->X87.Instruction = isShort ? BinaryPrimitives.ReadUInt16LittleEndian(image[6..])
            : BinaryPrimitives.ReadUInt32LittleEndian(image[12..]);
        state->X87.Operand = isShort ? BinaryPrimitives.ReadUInt16LittleEndian(image[10..])
            : BinaryPrimitives.ReadUInt32LittleEndian(image[20..]);
        state->X87.Opcode = isShort ? (ushort)0 : (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[18..]) & 0x7FF);
        SetControl(BinaryPrimitives.ReadUInt16LittleEndian(image));
    }

    private const int EmptyTag = 3;

    /// <summary>The tags with what they say of the values: 0 for a number, 1 for zero, 2 for anything else.</summary>
    private ushort FullTagWord()
    {
        int tags = 0;
        for (int i = 0; i < 8; i++)
        {
            int tag = ((state->X87.Used >> i) & 1) == 0 ? EmptyTag : state->X87.Registers[i].Class switch
            {
                FloatClass.Normal => 0,
                FloatClass.Zero => 1,
                _ => 2,
            };
            tags |= tag << (2 * i);
        }

        return (ushort)tags;
    }
}
