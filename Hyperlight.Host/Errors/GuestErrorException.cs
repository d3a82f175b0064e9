using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>A guest function returned an error. The call is complete, and the sandbox remains usable.</summary>
public sealed class GuestErrorException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="rawCode">The error code that the guest sent.</param>
    /// <param name="guestMessage">The guest's message.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    /// <param name="hostFunctionFailure">How a host function failed during the call, if one did.</param>
    public GuestErrorException(
        string functionName, ulong rawCode, string guestMessage, Exception? innerException = null, string? hostFunctionFailure = null)
        : base(Describe(functionName, rawCode, guestMessage, hostFunctionFailure), innerException)
    {
        HostFunctionFailure = hostFunctionFailure;
        FunctionName = functionName;
        RawCode = rawCode;
        GuestMessage = guestMessage;
    }

    /// <summary>The guest function.</summary>
    public string FunctionName { get; }

    /// <summary>The error's code; <see cref="GuestErrorCode.UnknownError"/> for one that the ABI does not list.</summary>
    public GuestErrorCode Code => Classify(RawCode);

    /// <summary>The error code that the guest sent.</summary>
    public ulong RawCode { get; }

    /// <summary>
    /// The guest's message, unchanged. Do not write it to a log or console: the exception's message has it escaped, and
    /// shortened to 4,096 characters.
    /// </summary>
    public string GuestMessage { get; }

    /// <summary>
    /// How the host function failed that failed last during the call, with its name; <see langword="null"/> if none failed. The
    /// guest is told less; see <see cref="GuestMessage"/>.
    /// </summary>
    public string? HostFunctionFailure { get; }

    private static string Describe(string functionName, ulong rawCode, string guestMessage, string? hostFunctionFailure)
    {
        string text = $"Guest function '{GuestText.Escape(functionName)}' failed with {Classify(rawCode)} ({rawCode}): {GuestText.Escape(guestMessage)}";
        return hostFunctionFailure is null ? text : $"{text} ({GuestText.Escape(hostFunctionFailure)})";
    }

    internal static GuestErrorCode Classify(ulong rawCode) =>
        Enum.IsDefined((GuestErrorCode)rawCode) ? (GuestErrorCode)rawCode : GuestErrorCode.UnknownError;
}
