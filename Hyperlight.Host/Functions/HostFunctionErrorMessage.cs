using System.Text;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>Tells a guest that its call of a host function failed.</summary>
internal static class HostFunctionErrorMessage
{
    private const string Ellipsis = "...";

    /// <summary>What is left free behind a shortened text, so that a guest can pass it on in a message of its own.</summary>
    private const int Slack = 256;

    /// <summary>Puts the error on the guest's input buffer; text that does not fit is shortened.</summary>
    /// <exception cref="MessageTooLargeException">Not even a shortened text fits.</exception>
    public static void Write(SharedBuffer input, string functionName, string text)
    {
        string fitting = Fit(UnicodeText.ReplaceInvalid(text), input.FreeMessageSize);
        Span<byte> target = input.Reserve(SizeOf(fitting), "The error of host function", functionName, out int start);
        FunctionResultEncoder.EncodeError(target, GuestErrorCode.HostFunctionError, fitting);
        input.Commit(start, target.Length);
    }

    private static long SizeOf(string text) => FunctionResultEncoder.EncodeError(default, GuestErrorCode.HostFunctionError, text);

    private static string Fit(string text, long room)
    {
        if (SizeOf(text) <= room)
        {
            return text;
        }

        long bytes = room - SizeOf(Ellipsis) - Slack;
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < 0)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return string.Concat(text.AsSpan(0, length), Ellipsis);
    }
}
