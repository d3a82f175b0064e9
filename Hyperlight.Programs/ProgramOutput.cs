using System.Text;

namespace Hyperlight.Programs;

/// <summary>What a program has written in one go.</summary>
/// <param name="Bytes">The bytes, at most 16 KiB: what the program writes with one system call can be in several parts.</param>
/// <param name="IsError">Whether it was written to the standard error; to the standard output otherwise.</param>
public readonly record struct ProgramOutput(ReadOnlyMemory<byte> Bytes, bool IsError)
{
    /// <summary>
    /// The bytes, decoded as UTF-8. Invalid bytes are replaced, and so is a character that two parts contain: use <see cref="Decoder"/>
    /// if this matters.
    /// </summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);
}
