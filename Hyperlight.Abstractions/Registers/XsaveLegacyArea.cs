using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Hyperlight.Abstractions;

/// <summary>
/// The part of an XSAVE image that FXSAVE stores too, and the header behind it. Offsets are those of the processor manuals.
/// </summary>
public static class XsaveLegacyArea
{
    private const int ControlWord = 0;
    private const int StatusWord = 2;
    private const int TagWord = 4;
    private const int LastOpcode = 6;
    private const int LastInstruction = 8;
    private const int LastOperand = 16;
    private const int Mxcsr = 24;
    private const int St = 32;
    private const int Xmm = 160;
    private const int XstateBv = 512;

    /// <summary>The offset of XCOMP_BV, which says which components a compacted image has room for.</summary>
    public const int XcompBv = 520;

    /// <summary>In XSTATE_BV: the image holds x87 and SSE state. Every component without its bit returns to its initial value.</summary>
    private const ulong X87AndSse = 3;

    /// <summary>Writes a compacted image with this state and nothing else.</summary>
    /// <param name="registers">The state.</param>
    /// <param name="image">The whole image, of at least 576 bytes.</param>
    /// <param name="xcompBv">Its XCOMP_BV; without it a hypervisor that expects compacted images refuses the image.</param>
    public static void WriteCompacted(in FpuRegisters registers, Span<byte> image, ulong xcompBv)
    {
        image.Clear();
        Write(in registers, image);
        BinaryPrimitives.WriteUInt64LittleEndian(image[XcompBv..], xcompBv);
    }

    /// <summary>Writes an image with this state and nothing else.</summary>
    /// <param name="registers">The state.</param>
    /// <param name="image">An image of at least 576 bytes that is zero beyond the header, and stays so.</param>
    public static void Write(in FpuRegisters registers, Span<byte> image)
    {
        image[..(XstateBv + 64)].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(image[ControlWord..], registers.ControlWord);
        BinaryPrimitives.WriteUInt16LittleEndian(image[StatusWord..], registers.StatusWord);
        image[TagWord] = registers.TagWord;
        BinaryPrimitives.WriteUInt16LittleEndian(image[LastOpcode..], registers.LastOpcode);
        BinaryPrimitives.WriteUInt64LittleEndian(image[LastInstruction..], registers.LastInstruction);
        BinaryPrimitives.WriteUInt64LittleEndian(image[LastOperand..], registers.LastOperand);
        BinaryPrimitives.WriteUInt32LittleEndian(image[Mxcsr..], registers.Mxcsr);
        X87Stack st = registers.St;
        MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)st).CopyTo(image[St..]);
        XmmRegisters xmm = registers.Xmm;
        MemoryMarshal.AsBytes((ReadOnlySpan<UInt128>)xmm).CopyTo(image[Xmm..]);
        BinaryPrimitives.WriteUInt64LittleEndian(image[XstateBv..], X87AndSse);
    }

    /// <summary>Reads the state out of an image.</summary>
    /// <param name="image">At least the first 512 bytes of one.</param>
    public static FpuRegisters Read(ReadOnlySpan<byte> image)
    {
        X87Stack st = default;
        image.Slice(St, 128).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)st));
        XmmRegisters xmm = default;
        image.Slice(Xmm, 256).CopyTo(MemoryMarshal.AsBytes((Span<UInt128>)xmm));
        return new FpuRegisters
        {
            ControlWord = BinaryPrimitives.ReadUInt16LittleEndian(image[ControlWord..]),
            StatusWord = BinaryPrimitives.ReadUInt16LittleEndian(image[StatusWord..]),
            TagWord = image[TagWord],
            LastOpcode = BinaryPrimitives.ReadUInt16LittleEndian(image[LastOpcode..]),
            LastInstruction = BinaryPrimitives.ReadUInt64LittleEndian(image[LastInstruction..]),
            LastOperand = BinaryPrimitives.ReadUInt64LittleEndian(image[LastOperand..]),
            Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[Mxcsr..]),
            St = st,
            Xmm = xmm,
        };
    }
}
