namespace Hyperlight.Abstractions;

/// <summary>A segment register with its hidden part.</summary>
public record struct SegmentRegister
{
    /// <summary>Base address.</summary>
    public ulong Base { get; set; }

    /// <summary>Limit in bytes, granularity already applied.</summary>
    public uint Limit { get; set; }

    /// <summary>Selector.</summary>
    public ushort Selector { get; set; }

    /// <summary>
    /// Attributes as in a VMCS access-rights field: type in bits 0 to 3, S in 4, DPL in 5 and 6, P in 7, AVL in 12, L in 13,
    /// D/B in 14, G in 15.
    /// </summary>
    public ushort Attributes { get; set; }

    /// <summary>Segment type, 0 to 15.</summary>
    public readonly byte Type => (byte)(Attributes & 0xF);

    /// <summary>S: code or data rather than system.</summary>
    public readonly bool IsCodeOrData => (Attributes & 0x10) != 0;

    /// <summary>Descriptor privilege level, 0 to 3.</summary>
    public readonly byte PrivilegeLevel => (byte)((Attributes >> 5) & 3);

    /// <summary>P.</summary>
    public readonly bool IsPresent => (Attributes & 0x80) != 0;

    /// <summary>AVL.</summary>
    public readonly bool IsAvailable => (Attributes & 0x1000) != 0;

    /// <summary>L: 64-bit code.</summary>
    public readonly bool IsLong => (Attributes & 0x2000) != 0;

    /// <summary>D/B: 32-bit default.</summary>
    public readonly bool IsDefault32 => (Attributes & 0x4000) != 0;

    /// <summary>G: the limit counts pages.</summary>
    public readonly bool IsPageGranular => (Attributes & 0x8000) != 0;

    /// <summary>Makes <see cref="Attributes"/> of their parts, each 0 or 1 but for type and privilege level.</summary>
    /// <param name="type">Segment type, 0 to 15.</param>
    /// <param name="codeOrData">S.</param>
    /// <param name="privilegeLevel">Descriptor privilege level, 0 to 3.</param>
    /// <param name="present">P.</param>
    /// <param name="available">AVL.</param>
    /// <param name="isLong">L.</param>
    /// <param name="default32">D/B.</param>
    /// <param name="pageGranular">G.</param>
    /// <returns>The attributes; bits that a part does not have are ignored.</returns>
    public static ushort ComposeAttributes(
        byte type, byte codeOrData, byte privilegeLevel, byte present, byte available, byte isLong, byte default32, byte pageGranular) =>
        (ushort)(
            (type & 0xF)
            | ((codeOrData & 1) << 4)
            | ((privilegeLevel & 3) << 5)
            | ((present & 1) << 7)
            | ((available & 1) << 12)
            | ((isLong & 1) << 13)
            | ((default32 & 1) << 14)
            | ((pageGranular & 1) << 15));
}
