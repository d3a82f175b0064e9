using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.X87Arithmetic;
using static Hyperlight.Emulator.Cpu.XsaveComponents;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The x87 and SSE state as the host reads and writes it, and the area that FXSAVE and XSAVE share.</summary>
internal readonly unsafe struct FloatingPointImage(ProcessorState* state, XmmFile xmm, X87Registers x87)
{
    /// <summary>Bits of MXCSR that can be set, as FXSAVE reports them in MXCSR_MASK.</summary>
    public const uint MxcsrBits = 0xFFFF;

    /// <summary>Bytes of the XSAVE image: as large as that of other hypervisors.</summary>
    public const int XsaveSize = 4096;

    public const int FxsaveSize = 512;

    /// <summary>Where what FXSAVE writes ends: the rest is the program's own.</summary>
    public const int FxsaveEnd = 416;
    public const int MxcsrOffset = 24;
    public const int StOffset = 32;
    public const int XmmOffset = 160;

    public FpuRegisters GetRegisters()
    {
        X87Stack st = default;
        for (int i = 0; i < 8; i++)
        {
            st[i] = new UInt128(x87.St(i).SignExponent, x87.St(i).Significand);
        }

        XmmRegisters copied = default;
        xmm.Bytes.CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)copied));
        return new FpuRegisters
        {
            ControlWord = state->X87.Control,
            StatusWord = state->X87.Status,
            TagWord = state->X87.Used,
            LastOpcode = state->X87.Opcode,
            LastInstruction = state->X87.Instruction,
            LastOperand = state->X87.Operand,
            Mxcsr = state->Mxcsr,
            St = st,
            Xmm = copied,
        };
    }

    public void SetRegisters(in FpuRegisters value)
    {
        state->X87.Control = value.ControlWord;
        state->X87.Status = value.StatusWord;
        state->X87.Used = value.TagWord;
        state->X87.Opcode = value.LastOpcode;
        state->X87.Instruction = value.LastInstruction;
        state->X87.Operand = value.LastOperand;
        state->Mxcsr = value.Mxcsr & MxcsrBits;
        for (int i = 0; i < 8; i++)
        {
            state->X87.Registers[(x87.Top + i) & 7] = new Float80((ushort)(value.St[i] >> 64), (ulong)value.St[i]);
        }

        XmmRegisters copied = value.Xmm;
        MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)copied).CopyTo(xmm.Bytes);
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
            state->Mxcsr = mxcsr;
            image.Slice(XmmOffset, xmm.Bytes.Length).CopyTo(xmm.Bytes);
        }

        return true;
    }

    /// <summary>Writes the x87 part. The narrow form has 32 bits of the addresses, and selectors, which are not kept.</summary>
    public void WriteX87Area(Span<byte> image, bool isWide)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, state->X87.Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], state->X87.Status);
        BinaryPrimitives.WriteUInt16LittleEndian(image[4..], state->X87.Used);
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], state->X87.Opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(image[8..], isWide ? state->X87.Instruction : (uint)state->X87.Instruction);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], isWide ? state->X87.Operand : (uint)state->X87.Operand);
        for (int i = 0; i < 8; i++)
        {
            Span<byte> register = image.Slice(StOffset + (16 * i), 16);
            BinaryPrimitives.WriteUInt64LittleEndian(register, x87.St(i).Significand);
            BinaryPrimitives.WriteUInt64LittleEndian(register[8..], x87.St(i).SignExponent);
        }
    }

    public void ReadX87Area(ReadOnlySpan<byte> image, bool isWide)
    {
        state->X87.Control = (ushort)((BinaryPrimitives.ReadUInt16LittleEndian(image) & X87ControlInstructions.ControlBits) | X87ControlInstructions.ControlSet);
        state->X87.Status = BinaryPrimitives.ReadUInt16LittleEndian(image[2..]);
        state->X87.Used = image[4];
        state->X87.Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) & 0x7FF);
        ulong instruction = BinaryPrimitives.ReadUInt64LittleEndian(image[8..]);
        ulong operand = BinaryPrimitives.ReadUInt64LittleEndian(image[16..]);
        state->X87.Instruction = isWide ? instruction : (uint)instruction;
        state->X87.Operand = isWide ? operand : (uint)operand;
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> register = image.Slice(StOffset + (16 * i), 16);
            state->X87.Registers[(x87.Top + i) & 7] = new Float80(
                BinaryPrimitives.ReadUInt16LittleEndian(register[8..]), BinaryPrimitives.ReadUInt64LittleEndian(register));
        }
    }

    public void WriteSseArea(Span<byte> image)
    {
        WriteMxcsr(image);
        xmm.Bytes.CopyTo(image[XmmOffset..]);
    }

    private void WriteMxcsr(Span<byte> image)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image[MxcsrOffset..], state->Mxcsr);
        BinaryPrimitives.WriteUInt32LittleEndian(image[(MxcsrOffset + 4)..], MxcsrBits);
    }

    public void InitializeX87Area()
    {
        x87.Initialize();
        state->X87.Registers = default;
    }

    public void InitializeSse()
    {
        state->Mxcsr = FpuRegisters.MxcsrReset;
        xmm.Bytes.Clear();
    }
}
