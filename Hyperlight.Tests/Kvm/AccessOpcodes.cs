namespace Hyperlight.Tests.Kvm;

/// <summary>
/// Encodings of instructions with a memory operand at [RDI], or with the implied operands of string instructions: every
/// opcode of the one-byte, 0F, 0F 38 and 0F 3A maps, each with the prefixes that change what it accesses.
/// </summary>
internal static class AccessOpcodes
{
    /// <summary>ModRM with [RDI] and the register that is the opcode's extension.</summary>
    private const byte AtRdi = 0x07;

    /// <summary>What follows an opcode without a ModRM byte, or is an immediate: HLT.</summary>
    private const byte Hlt = 0xF4;

    private const byte OperandSize = 0x66;
    private const byte AddressSize = 0x67;
    private const byte Lock = 0xF0;
    private const byte Repne = 0xF2;
    private const byte Rep = 0xF3;
    private const byte RexW = 0x48;

    private static readonly byte[][] Maps = [[], [0x0F], [0x0F, 0x38], [0x0F, 0x3A]];

    private static readonly byte[][] Prefixes =
    [
        [], [OperandSize], [RexW], [Rep], [Repne], [Lock], [Lock, RexW], [AddressSize], [OperandSize, RexW],
        [Rep, OperandSize], [Rep, RexW], [Rep, AddressSize], [Repne, RexW], [Repne, AddressSize],
    ];

    /// <summary>String instructions: INS, OUTS, MOVS, CMPS, STOS, LODS, SCAS.</summary>
    private static readonly byte[] Strings = [0x6C, 0x6D, 0x6E, 0x6F, 0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF];

    /// <summary>String instructions with every prefix.</summary>
    public static IEnumerable<byte[]> StringInstructions =>
        from opcode in Strings
        from prefixes in Prefixes
        select (byte[])[.. prefixes, opcode, Hlt];

    /// <summary>Every opcode with every prefix, and every extension of every opcode without one.</summary>
    public static IEnumerable<byte[]> MemoryInstructions =>
        from map in Maps
        from opcode in Enumerable.Range(0, 256)
        where map.Length > 0 || !IsPrefixOrEscape((byte)opcode)
        from variant in Prefixes.Select(static prefixes => (Prefixes: prefixes, Extension: 0))
            .Concat(Enumerable.Range(1, 7).Select(static extension => (Prefixes: Array.Empty<byte>(), Extension: extension)))
        where map.Length > 0 || !Strings.Contains((byte)opcode)
        select (byte[])[.. variant.Prefixes, .. map, (byte)opcode, (byte)(AtRdi | variant.Extension << 3), Hlt, Hlt, Hlt, Hlt, Hlt];

    private static bool IsPrefixOrEscape(byte opcode) => opcode is
        0x0F or 0x26 or 0x2E or 0x36 or 0x3E or (>= 0x40 and <= 0x4F) or (>= 0x64 and <= 0x67) or Lock or Repne or Rep;
}
