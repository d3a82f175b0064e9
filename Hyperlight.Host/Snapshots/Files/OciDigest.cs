using System.Buffers;
using System.Security.Cryptography;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>The SHA-256 digest of a blob, which names it.</summary>
internal readonly record struct OciDigest
{
    private const string Prefix = OciNames.DigestAlgorithm + ":";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private OciDigest(string hex) => Hex = hex;

    /// <summary>64 lower-case hexadecimal digits: the name of the blob's file.</summary>
    public string Hex { get; }

    /// <summary>The digest of bytes.</summary>
    public static OciDigest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    /// <summary>A digest that was computed elsewhere.</summary>
    public static OciDigest FromHash(ReadOnlySpan<byte> hash) => new(Convert.ToHexStringLower(hash));

    /// <summary>Reads <c>sha256:</c> and the digits. Anything else is refused: the digits become a file name.</summary>
    public static bool TryParse(string? text, out OciDigest digest)
    {
        digest = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> hex = text.AsSpan(Prefix.Length);
        if (hex.Length != 2 * SHA256.HashSizeInBytes || hex.ContainsAnyExcept(HexDigits))
        {
            return false;
        }

        digest = new OciDigest(hex.ToString());
        return true;
    }

    public override string ToString() => Prefix + Hex;
}
