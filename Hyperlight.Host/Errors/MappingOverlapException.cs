namespace Hyperlight;

/// <summary>A mapping would overlap guest physical addresses that are in use. The sandbox was not changed.</summary>
public sealed class MappingOverlapException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="what">What was to be mapped.</param>
    /// <param name="guestAddress">Guest physical address of its first byte.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="other">What is there, such as <c>the guest's image</c>.</param>
    /// <param name="otherAddress">Guest physical address of that one's first byte.</param>
    /// <param name="otherSize">Bytes of that one.</param>
    public MappingOverlapException(string what, ulong guestAddress, ulong size, string other, ulong otherAddress, ulong otherSize)
        : base($"{Capitalize(what)} (0x{size:X} bytes at guest physical address 0x{guestAddress:X}) overlaps {other} "
            + $"(0x{otherSize:X} bytes at 0x{otherAddress:X}). Choose another guest address.")
    {
        GuestAddress = guestAddress;
        Size = size;
        Other = other;
        OtherAddress = otherAddress;
        OtherSize = otherSize;
    }

    /// <summary>Guest physical address of the first byte that was to be mapped.</summary>
    public ulong GuestAddress { get; }

    /// <summary>Bytes that were to be mapped.</summary>
    public ulong Size { get; }

    /// <summary>What is there.</summary>
    public string Other { get; }

    /// <summary>Guest physical address of the first byte of what is there.</summary>
    public ulong OtherAddress { get; }

    /// <summary>Bytes of what is there.</summary>
    public ulong OtherSize { get; }

    private static string Capitalize(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
