using System.Text;

namespace Hyperlight.Extensions.AI;

/// <summary>Output that comes in parts, as text of a limited length. A character may be in two parts.</summary>
internal sealed class CollectedText(int maximum)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _text = new();

    /// <summary>Whether there was more.</summary>
    public bool IsTruncated { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes) => Add(bytes, isLast: false);

    public string Complete()
    {
        Add([], isLast: true);
        return _text.ToString();
    }

    private void Add(ReadOnlySpan<byte> bytes, bool isLast)
    {
        char[] characters = new char[_decoder.GetCharCount(bytes, isLast)];
        int count = _decoder.GetChars(bytes, characters, isLast);
        int kept = Math.Min(count, maximum - _text.Length);
        IsTruncated |= kept < count;

        // Not half of a surrogate pair.
        kept -= kept < count && kept > 0 && char.IsHighSurrogate(characters[kept - 1]) ? 1 : 0;
        _text.Append(characters, 0, kept);
    }
}
