using System.Runtime.CompilerServices;

namespace Hyperlight.Abstractions;

/// <summary>The x87 and SSE state of a vCPU, what FXSAVE stores.</summary>
public record struct FpuRegisters
{
    /// <summary>The x87 control word after FNINIT: extended precision, all exceptions masked.</summary>
    public const ushort ControlWordReset = 0x37F;

    /// <summary>MXCSR after reset: round to nearest, all exceptions masked.</summary>
    public const uint MxcsrReset = 0x1F80;

    /// <summary>The state that the guest ABI prescribes at the start of each call: everything zero but the control words.</summary>
    public static FpuRegisters Reset => new() { ControlWord = ControlWordReset, Mxcsr = MxcsrReset };

    /// <summary>FCW.</summary>
    public ushort ControlWord { get; set; }

    /// <summary>FSW.</summary>
    public ushort StatusWord { get; set; }

    /// <summary>The abridged tag word: one bit a register, set when it is in use.</summary>
    public byte TagWord { get; set; }

    /// <summary>FOP, the last x87 opcode.</summary>
    public ushort LastOpcode { get; set; }

    /// <summary>FIP, the address of the last x87 instruction.</summary>
    public ulong LastInstruction { get; set; }

    /// <summary>FDP, the address of the last x87 operand.</summary>
    public ulong LastOperand { get; set; }

    /// <summary>MXCSR.</summary>
    public uint Mxcsr { get; set; }

    /// <summary>ST(0) to ST(7), each in the low 80 bits.</summary>
    public X87Stack St { get; set; }

    /// <summary>XMM0 to XMM15.</summary>
    public XmmRegisters Xmm { get; set; }
}

/// <summary>The eight x87 registers.</summary>
[InlineArray(8)]
public struct X87Stack : IEquatable<X87Stack>
{
    private UInt128 _first;

    /// <inheritdoc/>
    public readonly bool Equals(X87Stack other) => ((ReadOnlySpan<UInt128>)this).SequenceEqual(other);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is X87Stack other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(this[0], this[1], this[2], this[3]);

    /// <summary>Whether two stacks hold the same values.</summary>
    /// <param name="left">One stack.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(X87Stack left, X87Stack right) => left.Equals(right);

    /// <summary>Whether two stacks differ.</summary>
    /// <param name="left">One stack.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(X87Stack left, X87Stack right) => !left.Equals(right);
}

/// <summary>The sixteen XMM registers.</summary>
[InlineArray(16)]
public struct XmmRegisters : IEquatable<XmmRegisters>
{
    private UInt128 _first;

    /// <inheritdoc/>
    public readonly bool Equals(XmmRegisters other) => ((ReadOnlySpan<UInt128>)this).SequenceEqual(other);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is XmmRegisters other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(this[0], this[1], this[2], this[3]);

    /// <summary>Whether two register files hold the same values.</summary>
    /// <param name="left">One register file.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(XmmRegisters left, XmmRegisters right) => left.Equals(right);

    /// <summary>Whether two register files differ.</summary>
    /// <param name="left">One register file.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(XmmRegisters left, XmmRegisters right) => !left.Equals(right);
}
