namespace Hyperlight;

/// <summary>A guest function answered with an error. The call is complete and the sandbox remains usable.</summary>
public sealed class GuestErrorException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="rawCode">The code as the guest sent it.</param>
    /// <param name="guestMessage">The guest's message.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    public GuestErrorException(string functionName, ulong rawCode, string guestMessage, Exception? innerException = null)
        : base($"Guest function '{functionName}' failed with {Classify(rawCode)} ({rawCode}): {guestMessage}", innerException)
    {
        FunctionName = functionName;
        RawCode = rawCode;
        GuestMessage = guestMessage;
    }

    /// <summary>The guest function.</summary>
    public string FunctionName { get; }

    /// <summary>The error's code; <see cref="GuestErrorCode.UnknownError"/> for one that the ABI does not list.</summary>
    public GuestErrorCode Code => Classify(RawCode);

    /// <summary>The code as the guest sent it.</summary>
    public ulong RawCode { get; }

    /// <summary>The guest's message.</summary>
    public string GuestMessage { get; }

    private static GuestErrorCode Classify(ulong rawCode) =>
        Enum.IsDefined((GuestErrorCode)rawCode) ? (GuestErrorCode)rawCode : GuestErrorCode.UnknownError;
}
