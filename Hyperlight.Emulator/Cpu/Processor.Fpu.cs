using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The x87 and SSE state as the host reads and writes it, and the area that FXSAVE and XSAVE share.</summary>
internal sealed partial class Processor
{
    /// <summary>Bytes of the XSAVE image: as large as that of other hypervisors.</summary>
    public const int XsaveSize = 4096;

    private const int FxsaveSize = 512;

    /// <summary>Where what FXSAVE writes ends: the rest is the program's own.</summary>
    private const int FxsaveEnd = 416;
    private const int MxcsrOffset = 24;
    private const int StOffset = 32;
    private const int XmmOffset = 160;

    public FpuRegisters Fpu
    {
        get
        {
            X87Stack st = default;
            for (int i = 0; i < 8; i++)
            {
                st[i] = new UInt128(St(i).SignExponent, St(i).Significand);
            }

            XmmRegisters xmm = default;
            XmmBytes.CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)xmm));
            return new FpuRegisters
            {
                ControlWord = _x87Control,
                StatusWord = _x87Status,
                TagWord = _x87Used,
                LastOpcode = _x87Opcode,
                LastInstruction = _x87Instruction,
                LastOperand = _x87Operand,
                Mxcsr = _mxcsr,
                St = st,
                Xmm = xmm,
            };
        }

        set
        {
            _x87Control = value.ControlWord;
            _x87Status = value.StatusWord;
            _x87Used = value.TagWord;
            _x87Opcode = value.LastOpcode;
            _x87Instruction = value.LastInstruction;
            _x87Operand = value.LastOperand;
            _mxcsr = value.Mxcsr & MxcsrBits;
            for (int i = 0; i < 8; i++)
            {
                _x87[(Top + i) & 7] = new Float80((ushort)(value.St[i] >> 64), (ulong)value.St[i]);
            }

            XmmRegisters xmm = value.Xmm;
            MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)xmm).CopyTo(XmmBytes);
        }
    }

    public void GetXsave(Span<byte> destination)
    {
        Span<byte> image = destination[..XsaveSize];
        image.Clear();
        WriteX87Area(image, isWide: true);
        WriteSseArea(image);
        BinaryPrimitives.WriteUInt64LittleEndian(image[FxsaveSize..], SupportedComponents);
    }

    /// <summary>Takes an image; a component that it does not hold gets its initial value. False if it is invalid.</summary>
    public bool TrySetXsave(ReadOnlySpan<byte> image)
    {
        ulong components = BinaryPrimitives.ReadUInt64LittleEndian(image[FxsaveSize..]);
        bool isCompact = BinaryPrimitives.ReadUInt64LittleEndian(image[(FxsaveSize + 8)..]) != 0;
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if (isCompact || (components & ~SupportedComponents) != 0 || (mxcsr & ~MxcsrBits) != 0)
        {
            return false;
        }

        InitializeX87Area();
        InitializeSse();
        if ((components & X87Component) != 0)
        {
            ReadX87Area(image, isWide: true);
        }

        if ((components & SseComponent) != 0)
        {
            _mxcsr = mxcsr;
            image.Slice(XmmOffset, XmmBytes.Length).CopyTo(XmmBytes);
        }

        return true;
    }

    /// <summary>Writes the x87 part. The narrow form has 32 bits of the addresses, and selectors, which are not kept.</summary>
    private void WriteX87Area(Span<byte> image, bool isWide)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, _x87Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], _x87Status);
        BinaryPrimitives.WriteUInt16LittleEndian(image[4..], _x87Used);
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], _x87Opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(image[8..], isWide ? _x87Instruction : (uint)_x87Instruction);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], isWide ? _x87Operand : (uint)_x87Operand);
        for (int i = 0; i < 8; i++)
        {
            Span<byte> register = image.Slice(StOffset + (16 * i), 16);
            BinaryPrimitives.WriteUInt64LittleEndian(register, St(i).Significand);
            BinaryPrimitives.WriteUInt64LittleEndian(register[8..], St(i).SignExponent);
        }
    }

    private void ReadX87Area(ReadOnlySpan<byte> image, bool isWide)
    {
        _x87Control = (ushort)((BinaryPrimitives.ReadUInt16LittleEndian(image) & ControlBits) | ControlSet);
        _x87Status = BinaryPrimitives.ReadUInt16LittleEndian(image[2..]);
        _x87Used = image[4];
        _x87Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) & 0x7FF);
        ulong instruction = BinaryPrimitives.ReadUInt64LittleEndian(image[8..]);
        ulong operand = BinaryPrimitives.ReadUInt64LittleEndian(image[16..]);
        _x87Instruction = isWide ? instruction : (uint)instruction;
        _x87Operand = isWide ? operand : (uint)operand;
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image.Slice(StOffset + (16 * i), 16);
            _x87[(Top + i) & 7] = new Float80(
                BinaryPrimitives.ReadUInt16LittleEndian(register[8..]), BinaryPrimitives.ReadUInt64LittleEndian(register));
        }
    }

    private void WriteSseArea(Span<byte> image)
    {
        WriteMxcsr(image);
        XmmBytes.CopyTo(image[XmmOffset..]);
    }

    private void WriteMxcsr(Span<byte> image)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image[MxcsrOffset..], _mxcsr);
        BinaryPrimitives.WriteUInt32LittleEndian(image[(MxcsrOffset + 4)..], MxcsrBits);
    }

    private void InitializeX87Area()
    {
        InitializeX87();
        _x87.Clear();
    }

    private void InitializeSse()
    {
        _mxcsr = FpuRegisters.MxcsrReset;
        XmmBytes.Clear();
    }
}
