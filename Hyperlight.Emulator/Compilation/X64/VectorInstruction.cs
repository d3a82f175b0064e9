namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// The parts of an instruction on XMM registers, as its bytes have them. With another operand in place of its memory it is
/// encoded again as it is: the guest's XMM registers are the host's of the same numbers.
/// </summary>
internal readonly struct VectorInstruction
{
    private const byte OperandSize = 0x66;
    private const byte RepeatNotEqual = 0xF2;
    private const byte Repeat = 0xF3;
    private const byte Escape = 0x0F;

    private VectorInstruction(int prefix, bool isWide, int opcode, int register, int operand, bool isMemory, byte last)
    {
        Prefix = prefix;
        IsWide = isWide;
        Opcode = opcode;
        Register = register;
        OperandRegister = operand;
        IsMemory = isMemory;
        Immediate = HasImmediateByte(opcode) ? last : null;
    }

    /// <summary>The prefix that belongs to the opcode, or 0.</summary>
    public int Prefix { get; }

    public bool IsWide { get; }

    /// <summary>Two or three bytes, the first one highest.</summary>
    public int Opcode { get; }

    /// <summary>The register, or the extension of the opcode.</summary>
    public int Register { get; }

    /// <summary>The register of the operand that can be memory, if it is not.</summary>
    public int OperandRegister { get; }

    public bool IsMemory { get; }

    public byte? Immediate { get; }

    /// <summary>Whether <see cref="Register"/> belongs to the opcode: shifts by an immediate.</summary>
    public bool HasExtension => Opcode is 0x0F71 or 0x0F72 or 0x0F73;

    /// <summary>Whether it is of a later extension than SSE2, of which hosts without SSE4.2 may lack some.</summary>
    public bool IsLate => Opcode > 0xFFFF || Opcode is 0x0F12 or 0x0F16 or 0x0F7C or 0x0F7D or 0x0FD0 or 0x0FF0;

    /// <summary>Takes an instruction apart; nothing if it has prefixes that would not be encoded again.</summary>
    public static VectorInstruction? Parse(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        int prefix = 0;
        while (bytes[at] is OperandSize or RepeatNotEqual or Repeat)
        {
            if (prefix != 0)
            {
                return null;
            }

            prefix = bytes[at++];
        }

        int rex = (bytes[at] & 0xF0) == 0x40 ? bytes[at++] : 0;
        if (bytes[at] != Escape)
        {
            return null;
        }

        int opcode = (bytes[at++] << 8) | bytes[at++];
        if ((opcode & 0xFF) is 0x38 or 0x3A)
        {
            opcode = (opcode << 8) | bytes[at++];
        }

        int operands = bytes[at];
        return new VectorInstruction(
            prefix,
            (rex & 8) != 0,
            opcode,
            (operands >> 3 & 7) | (rex << 1 & 8),
            (operands & 7) | (rex << 3 & 8),
            operands < 0xC0,
            bytes[^1]);
    }

    private static bool HasImmediateByte(int opcode) =>
        opcode >> 8 == 0x0F3A || opcode is 0x0F70 or 0x0F71 or 0x0F72 or 0x0F73 or 0x0FC2 or 0x0FC4 or 0x0FC5 or 0x0FC6;
}
