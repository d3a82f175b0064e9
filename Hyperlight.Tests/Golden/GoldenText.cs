using System.Globalization;
using System.Text;

namespace Hyperlight.Tests.Golden;

/// <summary>The bytes that a driver gives to its hypervisor, as text, in parts.</summary>
internal sealed class GoldenText
{
    private const int RowSize = 32;
    private readonly StringBuilder _text = new();

    /// <summary>Begins a part.</summary>
    public void Begin(string part) => Line($"# {part}");

    /// <summary>Writes a line.</summary>
    public void Line(string line) => _text.AppendLine(line);

    /// <summary>Writes bytes: rows that are not zero.</summary>
    /// <param name="name">What they are.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="addresses">Those that hold addresses of this process, which are never the same and are not written.</param>
    public void Bytes(string name, ReadOnlySpan<byte> bytes, Range addresses = default)
    {
        for (int row = 0; row < bytes.Length; row += RowSize)
        {
            ReadOnlySpan<byte> part = bytes[row..Math.Min(row + RowSize, bytes.Length)];
            if (!part.ContainsAnyExcept((byte)0) && row > 0)
            {
                continue;
            }

            _text.Append(CultureInfo.InvariantCulture, $"  {name} +{row:X3}");
            for (int i = 0; i < part.Length; i++)
            {
                bool isAddress = row + i >= addresses.Start.Value && row + i < addresses.End.Value;
                _text.Append(i % sizeof(ulong) == 0 ? " " : string.Empty).Append(isAddress ? "--" : part[i].ToString("X2", CultureInfo.InvariantCulture));
            }

            _text.AppendLine();
        }
    }

    /// <summary>
    /// Asserts that the text is that of a file beside the tests. If a change is intended, the file is replaced by the one that the
    /// failure names.
    /// </summary>
    /// <param name="file">The name of the file in the directory of the tests.</param>
    /// <param name="source">Where the file is in the repository.</param>
    public void AssertIs(string file, string source)
    {
        if (_text.ToString() != File.ReadAllText(Path.Combine(AppContext.BaseDirectory, file)))
        {
            string actual = Path.Combine(Path.GetTempPath(), file);
            File.WriteAllText(actual, _text.ToString());
            Assert.Fail($"The requests differ from {source}. What they are now: {actual}");
        }
    }
}
