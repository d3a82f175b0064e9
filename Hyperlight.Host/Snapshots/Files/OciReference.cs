using System.Buffers;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Names one snapshot of a directory: by its tag, or by the digest of its manifest.</summary>
internal readonly record struct OciReference
{
    private const int LongestTag = 128;
    private const string LettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    private static readonly SearchValues<char> First = SearchValues.Create(LettersAndDigits);
    private static readonly SearchValues<char> Further = SearchValues.Create(LettersAndDigits + ".-");

    private OciReference(string text, OciDigest? digest)
    {
        Text = text;
        Digest = digest;
    }

    /// <summary>The tag or digest as it was given.</summary>
    public string Text { get; }

    /// <summary>The digest, if it is one.</summary>
    public OciDigest? Digest { get; }

    /// <summary>Reads a tag or a digest; a colon tells them apart.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static OciReference Parse(string reference)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        if (!reference.Contains(':'))
        {
            return new OciReference(CheckTag(reference, nameof(reference)), digest: null);
        }

        return OciDigest.TryParse(reference, out OciDigest digest)
            ? new OciReference(reference, digest)
            : throw new ArgumentException(
                $"'{reference}' is not a digest: 'sha256:' and 64 lower-case hexadecimal digits.", nameof(reference));
    }

    /// <summary>Checks that a tag is one.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static string CheckTag(string tag, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag, parameter);
        if (tag.Length > LongestTag || !First.Contains(tag[0]) || tag.AsSpan().ContainsAnyExcept(Further))
        {
            throw new ArgumentException(
                $"'{tag}' is not a tag: a letter, digit or '_', and up to {LongestTag - 1} of these or '.' or '-'.", parameter);
        }

        return tag;
    }

    /// <summary>Whether a descriptor of an index is the one that is meant.</summary>
    public bool Matches(OciDescriptor descriptor) =>
        Digest is { } digest ? descriptor.Digest == digest.ToString() : descriptor.Tag == Text;
}
