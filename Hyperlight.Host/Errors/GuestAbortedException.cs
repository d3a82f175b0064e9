using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>A guest aborted, panicked, or did not handle a processor exception. The sandbox is poisoned.</summary>
public sealed class GuestAbortedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="code">The guest's abort code.</param>
    /// <param name="guestMessage">The guest's message.</param>
    /// <param name="exceptionVector">The processor exception's number, or <see langword="null"/>.</param>
    /// <param name="innerException">What a host function threw during the same call, if one did.</param>
    /// <param name="remedy">What the user can do, or <see langword="null"/>.</param>
    public GuestAbortedException(
        byte code, string guestMessage, byte? exceptionVector, Exception? innerException = null, string? remedy = null)
        : base(Describe(code, guestMessage, remedy), innerException)
    {
        Code = code;
        GuestMessage = guestMessage;
        ExceptionVector = exceptionVector;
    }

    /// <summary>What went wrong, and at which instruction of the guest, if that is known.</summary>
    public override string Message => FaultLocator.Append(base.Message, Location);

    /// <summary>Where in its ELF file the guest was, such as <c>0x1174 in main+0x12</c>, if that is known.</summary>
    internal string? Location { get; init; }

    /// <summary>The guest's abort code; see <see cref="GuestErrorCode"/> for those of the guest ABI.</summary>
    public byte Code { get; }

    /// <summary>
    /// The guest's message, unchanged; it can be empty. Do not write it to a log or console: the exception's message has it
    /// escaped.
    /// </summary>
    public string GuestMessage { get; }

    /// <summary>The processor exception's number (0 divide error, 6 invalid opcode, 14 page fault, ...), or <see langword="null"/>.</summary>
    public byte? ExceptionVector { get; }

    private static string Describe(byte code, string guestMessage, string? remedy)
    {
        string text = guestMessage.Length == 0
            ? $"The guest aborted with code {code}."
            : $"The guest aborted with code {code}: {GuestText.Escape(guestMessage)}";
        return remedy is null ? text : $"{text} ({remedy})";
    }
}
