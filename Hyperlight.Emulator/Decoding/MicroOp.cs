namespace Hyperlight.Emulator.Decoding;

/// <summary>A decoded instruction, in the form that the interpreter executes.</summary>
internal struct MicroOp
{
    /// <summary>Index of the register that is always zero: the base or index of an address that has none.</summary>
    public const byte ZeroRegister = 16;

    public Op Op;

    /// <summary>What <see cref="Decoding.Op.Vector"/> does, and to which elements.</summary>
    public VectorOp Vector;
    public VectorForm Form;
    public OperandKind Destination;
    public OperandKind Source;
    public byte DestinationRegister;
    public byte SourceRegister;

    /// <summary>Bytes of the operands.</summary>
    public byte Size;

    /// <summary>Bytes of the source where it differs, as for MOVZX.</summary>
    public byte SourceSize;
    public byte Base;
    public byte Index;

    /// <summary>How far the index is shifted.</summary>
    public byte Scale;

    /// <summary>0, or 4 for FS and 5 for GS.</summary>
    public byte Segment;

    /// <summary>The address is truncated to 32 bits.</summary>
    public bool Address32;

    /// <summary>Condition code, 0 to 15 as encoded.</summary>
    public byte Condition;
    public byte Length;
    public Repeat Repeat;

    /// <summary>IMUL with three operands, SHLD and SHRD by an immediate.</summary>
    public bool HasThirdOperand;

    /// <summary>What <see cref="Decoding.Op.X87"/> and <see cref="Decoding.Op.Mmx"/> do: an <see cref="X87Op"/> with its form, or an <see cref="MmxOp"/>.</summary>
    public ushort Function;
    public ulong Immediate;
    public ulong Displacement;

    /// <summary>RIP behind the instruction.</summary>
    public ulong NextRip;

    /// <summary>RIP at the instruction.</summary>
    public readonly ulong Rip => NextRip - Length;
}
