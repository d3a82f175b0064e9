using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>
/// The bytes that a guest function returned do not fit the caller's memory, in which nothing was changed. The call is complete
/// and the sandbox remains usable; the result is lost.
/// </summary>
public sealed class DestinationTooSmallException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="size">How many bytes it returned.</param>
    /// <param name="available">How many fit.</param>
    public DestinationTooSmallException(string functionName, int size, int available)
        : base($"Guest function '{GuestText.Escape(functionName)}' returned {size} bytes, but the destination has {available}. Call it with a destination of at least {size} bytes.")
    {
        FunctionName = functionName;
        Size = size;
        Available = available;
    }

    /// <summary>The guest function.</summary>
    public string FunctionName { get; }

    /// <summary>The number of bytes that the function returned.</summary>
    public int Size { get; }

    /// <summary>How many bytes the destination has.</summary>
    public int Available { get; }
}
