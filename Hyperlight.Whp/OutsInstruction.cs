namespace Hyperlight.Whp;

/// <summary>What the prefixes of OUTS say.</summary>
/// <param name="Segment">The prefix of FS or GS, whose base is added to RSI; 0 for that of DS.</param>
/// <param name="ChangesAddressSize">Whether addresses have the size that is not the code's.</param>
internal readonly record struct OutsInstruction(byte Segment, bool ChangesAddressSize)
{
    /// <summary>No instruction is longer.</summary>
    public const int LargestLength = 15;

    public const byte FsPrefix = 0x64;
    public const byte GsPrefix = 0x65;

    private const byte AddressSizePrefix = 0x67;

    /// <summary>Decodes an instruction.</summary>
    /// <param name="bytes">All of it.</param>
    public static OutsInstruction Decode(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> prefixes = bytes[..^1];
        int segment = prefixes.LastIndexOfAny(FsPrefix, GsPrefix);
        return new OutsInstruction(segment < 0 ? (byte)0 : prefixes[segment], prefixes.Contains(AddressSizePrefix));
    }
}
