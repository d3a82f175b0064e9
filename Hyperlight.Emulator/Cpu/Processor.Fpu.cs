using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// x87 state, held as the image that FXSAVE stores, and how it is exchanged together with that of SSE. No x87 instruction
/// computes with it.
/// </summary>
internal sealed partial class Processor
{
    /// <summary>Bytes of the XSAVE image: as large as that of other hypervisors.</summary>
    public const int XsaveSize = 4096;

    private const int FxsaveSize = 512;
    private const int MxcsrOffset = 24;
    private const int StOffset = 32;
    private const int XmmOffset = 160;
    private const ulong X87 = 1;
    private const ulong Sse = 2;

    /// <summary>The part that FXSAVE stores; what it says of SSE is up to date only after <see cref="FxsaveImage"/>.</summary>
    private readonly byte[] _fpu = InitialFpu();

    public FpuRegisters Fpu
    {
        get
        {
            ReadOnlySpan<byte> image = FxsaveImage();
            X87Stack st = default;
            image.Slice(StOffset, 128).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)st));
            XmmRegisters xmm = default;
            image.Slice(XmmOffset, 256).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)xmm));
            return new FpuRegisters
            {
                ControlWord = BinaryPrimitives.ReadUInt16LittleEndian(image),
                StatusWord = BinaryPrimitives.ReadUInt16LittleEndian(image[2..]),
                TagWord = image[4],
                LastOpcode = BinaryPrimitives.ReadUInt16LittleEndian(image[6..]),
                LastInstruction = BinaryPrimitives.ReadUInt64LittleEndian(image[8..]),
                LastOperand = BinaryPrimitives.ReadUInt64LittleEndian(image[16..]),
                Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]),
                St = st,
                Xmm = xmm,
            };
        }

        set
        {
            Span<byte> image = _fpu;
            image.Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(image, value.ControlWord);
            BinaryPrimitives.WriteUInt16LittleEndian(image[2..], value.StatusWord);
            image[4] = value.TagWord;
            BinaryPrimitives.WriteUInt16LittleEndian(image[6..], value.LastOpcode);
            BinaryPrimitives.WriteUInt64LittleEndian(image[8..], value.LastInstruction);
            BinaryPrimitives.WriteUInt64LittleEndian(image[16..], value.LastOperand);
            BinaryPrimitives.WriteUInt32LittleEndian(image[MxcsrOffset..], value.Mxcsr & MxcsrBits);
            BinaryPrimitives.WriteUInt32LittleEndian(image[(MxcsrOffset + 4)..], MxcsrBits);
            X87Stack st = value.St;
            MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)st).CopyTo(image[StOffset..]);
            XmmRegisters xmm = value.Xmm;
            MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)xmm).CopyTo(image[XmmOffset..]);
            TakeSse(image);
        }
    }

    public void GetXsave(Span<byte> destination)
    {
        Span<byte> image = destination[..XsaveSize];
        image.Clear();
        FxsaveImage().CopyTo(image);
        BinaryPrimitives.WriteUInt64LittleEndian(image[FxsaveSize..], X87 | Sse);
    }

    /// <summary>Takes an image; a component that it does not hold gets its initial value. False if it is invalid.</summary>
    public bool TrySetXsave(ReadOnlySpan<byte> image)
    {
        ulong components = BinaryPrimitives.ReadUInt64LittleEndian(image[FxsaveSize..]);
        bool isCompact = BinaryPrimitives.ReadUInt64LittleEndian(image[(FxsaveSize + 8)..]) != 0;
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if (isCompact || (components & ~(X87 | Sse)) != 0 || (mxcsr & ~MxcsrBits) != 0)
        {
            return false;
        }

        InitialFpu().CopyTo(_fpu.AsSpan());
        if ((components & X87) != 0)
        {
            image[..MxcsrOffset].CopyTo(_fpu);
            image[StOffset..XmmOffset].CopyTo(_fpu.AsSpan(StOffset));
        }

        if ((components & Sse) != 0)
        {
            image.Slice(MxcsrOffset, 4).CopyTo(_fpu.AsSpan(MxcsrOffset));
            image[XmmOffset..(XmmOffset + 256)].CopyTo(_fpu.AsSpan(XmmOffset));
        }

        TakeSse(_fpu);
        return true;
    }

    private byte[] FxsaveImage()
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_fpu.AsSpan(MxcsrOffset), _mxcsr);
        XmmBytes.CopyTo(_fpu.AsSpan(XmmOffset));
        return _fpu;
    }

    private void TakeSse(ReadOnlySpan<byte> image)
    {
        _mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        image.Slice(XmmOffset, 256).CopyTo(XmmBytes);
    }

    private static byte[] InitialFpu()
    {
        byte[] image = new byte[FxsaveSize];
        BinaryPrimitives.WriteUInt16LittleEndian(image, FpuRegisters.ControlWordReset);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(MxcsrOffset), FpuRegisters.MxcsrReset);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(MxcsrOffset + 4), MxcsrBits);
        return image;
    }

    private bool ExecuteFxsave(ref MicroOp op)
    {
        ulong address = Address(ref op);
        if ((address & 15) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        byte[] image = FxsaveImage();

        // The last 96 bytes are the program's own.
        for (int i = 0; i < XmmOffset + 256; i += 8)
        {
            if (!Store(address + (ulong)i, 8, BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(i))))
            {
                return false;
            }
        }

        return true;
    }

    private bool ExecuteFxrstor(ref MicroOp op)
    {
        ulong address = Address(ref op);
        if ((address & 15) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        Span<byte> image = stackalloc byte[FxsaveSize];
        for (int i = 0; i < XmmOffset + 256; i += 8)
        {
            if (!Load(address + (ulong)i, 8, out ulong value))
            {
                return false;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(image[i..], value);
        }

        if ((BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]) & ~MxcsrBits) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        image[..(XmmOffset + 256)].CopyTo(_fpu);
        BinaryPrimitives.WriteUInt32LittleEndian(_fpu.AsSpan(MxcsrOffset + 4), MxcsrBits);
        TakeSse(_fpu);
        return true;
    }
}
