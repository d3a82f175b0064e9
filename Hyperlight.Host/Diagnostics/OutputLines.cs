using System.Text;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Collects what a guest writes piece by piece and passes it on line by line, without the characters that end a line. A line
/// that does not end is passed on in parts, so that a guest cannot make it grow.
/// </summary>
internal sealed class OutputLines(Action<string> write)
{
    private readonly StringBuilder _line = new();

    public void Write(string text)
    {
        foreach (char character in text)
        {
            if (character == '\n')
            {
                Flush();
                continue;
            }

            _line.Append(character);
            if (_line.Length >= GuestText.MaximumLength - 1 && !char.IsHighSurrogate(character))
            {
                Flush();
            }
        }
    }

    /// <summary>Passes on what is left of a line that has not ended. An empty line is left out.</summary>
    public void Flush()
    {
        if (_line.Length > 0 && _line[^1] == '\r')
        {
            _line.Length--;
        }

        if (_line.Length > 0)
        {
            string line = _line.ToString();
            _line.Clear();
            write(line);
        }
    }
}
