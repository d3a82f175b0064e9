using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 control instructions.</summary>
internal sealed partial class Processor
{
    private const int ShortEnvironment = 14;
    private const int LongEnvironment = 28;

    /// <summary>Bit 6 of the control word is always set; 7, 13, 14 and 15 cannot be.</summary>
    private const int ControlSet = 0x40;
    private const int ControlBits = 0x1F7F;

    private bool ExecuteX87Control(ref MicroOp op, X87Op operation)
    {
        if (operation < X87Op.Wait)
        {
            NoteX87(ref op);
        }

        switch (operation)
        {
            case X87Op.Free:
                FreeSt(op.DestinationRegister);
                SetCondition1(false);
                if (((X87Form)op.Function & X87Form.Pop) != 0)
                {
                    PopSt();
                }

                return true;
            case X87Op.IncrementTop: Top++; SetCondition1(false); return true;
            case X87Op.DecrementTop: Top--; SetCondition1(false); return true;
            case X87Op.LoadControl:
                if (!Load(Address(ref op), 2, out ulong control))
                {
                    return false;
                }

                SetX87Control((ushort)control);
                return true;
            case X87Op.Initialize: InitializeX87(); return true;
            case X87Op.ClearExceptions: _x87Status &= 0x7F00; return true;
            case X87Op.StoreControl: return StoreX87Word(ref op, _x87Control);
            case X87Op.StoreStatus: return StoreX87Word(ref op, _x87Status);
            case X87Op.LoadEnvironment: return LoadX87Environment(ref op);
            case X87Op.StoreEnvironment: return StoreX87Environment(ref op);
            case X87Op.Save: return SaveX87(ref op);
            case X87Op.Restore: return RestoreX87(ref op);
            default: return true;
        }
    }

    private bool StoreX87Word(ref MicroOp op, ushort value)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return Store(Address(ref op), 2, value);
        }

        WriteRegister(Rax, 2, value);
        return true;
    }

    private void SetX87Control(ushort value)
    {
        _x87Control = (ushort)((value & ControlBits) | ControlSet);
        UpdateX87Summary();
    }

    private void InitializeX87()
    {
        _x87Control = FpuRegisters.ControlWordReset;
        _x87Status = 0;
        _x87Used = 0;
        _x87Opcode = 0;
        _x87Instruction = 0;
        _x87Operand = 0;
    }

    private bool StoreX87Environment(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[op.Size == 2 ? ShortEnvironment : LongEnvironment];
        WriteX87Environment(image);
        if (!StoreBytes(Address(ref op), image))
        {
            return false;
        }

        // A handler that looks at the environment is not to be interrupted by what it looks at.
        SetX87Control((ushort)(_x87Control | X87Exceptions));
        return true;
    }

    private bool LoadX87Environment(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[op.Size == 2 ? ShortEnvironment : LongEnvironment];
        if (!LoadBytes(Address(ref op), image))
        {
            return false;
        }

        ReadX87Environment(image);
        return true;
    }

    private bool SaveX87(ref MicroOp op)
    {
        int length = op.Size == 2 ? ShortEnvironment : LongEnvironment;
        Span<byte> image = stackalloc byte[length + (8 * ExtendedSize)];
        WriteX87Environment(image[..length]);
        for (int i = 0; i < 8; i++)
        {
            Span<byte> register = image[(length + (i * ExtendedSize))..];
            BinaryPrimitives.WriteUInt64LittleEndian(register, St(i).Significand);
            BinaryPrimitives.WriteUInt16LittleEndian(register[8..], St(i).SignExponent);
        }

        if (!StoreBytes(Address(ref op), image))
        {
            return false;
        }

        InitializeX87();
        return true;
    }

    private bool RestoreX87(ref MicroOp op)
    {
        int length = op.Size == 2 ? ShortEnvironment : LongEnvironment;
        Span<byte> image = stackalloc byte[length + (8 * ExtendedSize)];
        if (!LoadBytes(Address(ref op), image))
        {
            return false;
        }

        ReadX87Environment(image[..length]);
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image[(length + (i * ExtendedSize))..];
            _x87[(Top + i) & 7] = new Float80(
                BinaryPrimitives.ReadUInt16LittleEndian(register[8..]), BinaryPrimitives.ReadUInt64LittleEndian(register));
        }

        return true;
    }

    /// <summary>The environment in the form of 16-bit or 32-bit protected mode, without selectors.</summary>
    private void WriteX87Environment(Span<byte> image)
    {
        image.Clear();
        if (image.Length == ShortEnvironment)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(image, _x87Control);
            BinaryPrimitives.WriteUInt16LittleEndian(image[2..], _x87Status);
            BinaryPrimitives.WriteUInt16LittleEndian(image[4..], FullTagWord());
            BinaryPrimitives.WriteUInt16LittleEndian(image[6..], (ushort)_x87Instruction);
            BinaryPrimitives.WriteUInt16LittleEndian(image[10..], (ushort)_x87Operand);
            return;
        }

        // Reserved halves are ones.
        const uint reserved = 0xFFFF_0000;
        BinaryPrimitives.WriteUInt32LittleEndian(image, reserved | _x87Control);
        BinaryPrimitives.WriteUInt32LittleEndian(image[4..], reserved | _x87Status);
        BinaryPrimitives.WriteUInt32LittleEndian(image[8..], reserved | FullTagWord());
        BinaryPrimitives.WriteUInt32LittleEndian(image[12..], (uint)_x87Instruction);
        BinaryPrimitives.WriteUInt32LittleEndian(image[16..], (uint)_x87Opcode << 16);
        BinaryPrimitives.WriteUInt32LittleEndian(image[20..], (uint)_x87Operand);
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], reserved);
    }

    private void ReadX87Environment(ReadOnlySpan<byte> image)
    {
        bool isShort = image.Length == ShortEnvironment;
        int step = isShort ? 2 : 4;
        _x87Status = BinaryPrimitives.ReadUInt16LittleEndian(image[step..]);
        ushort tags = BinaryPrimitives.ReadUInt16LittleEndian(image[(2 * step)..]);
        _x87Used = 0;
        for (int i = 0; i < 8; i++)
        {
            _x87Used |= (byte)(((tags >> (2 * i)) & 3) == EmptyTag ? 0 : 1 << i);
        }

        _x87Instruction = isShort ? BinaryPrimitives.ReadUInt16LittleEndian(image[6..])
            : BinaryPrimitives.ReadUInt32LittleEndian(image[12..]);
        _x87Operand = isShort ? BinaryPrimitives.ReadUInt16LittleEndian(image[10..])
            : BinaryPrimitives.ReadUInt32LittleEndian(image[20..]);
        _x87Opcode = isShort ? (ushort)0 : (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[18..]) & 0x7FF);
        SetX87Control(BinaryPrimitives.ReadUInt16LittleEndian(image));
    }

    private const int EmptyTag = 3;

    /// <summary>The tags with what they say of the values: 0 for a number, 1 for zero, 2 for anything else.</summary>
    private ushort FullTagWord()
    {
        int tags = 0;
        for (int i = 0; i < 8; i++)
        {
            int tag = ((_x87Used >> i) & 1) == 0 ? EmptyTag : _x87[i].Class switch
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
