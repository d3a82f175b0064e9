using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>
/// A guest function returned another type than the caller expects. The call is complete, and the sandbox remains usable.
/// </summary>
public sealed class ReturnTypeMismatchException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="expected">The expected type.</param>
    /// <param name="actual">The type the guest returned.</param>
    public ReturnTypeMismatchException(string functionName, GuestValueType expected, GuestValueType actual)
        : base($"Guest function '{GuestText.Escape(functionName)}' returned {actual}, but the call asked for {expected}. Call it with the type it returns.")
    {
        FunctionName = functionName;
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The guest function.</summary>
    public string FunctionName { get; }

    /// <summary>The expected type.</summary>
    public GuestValueType Expected { get; }

    /// <summary>The type the guest returned.</summary>
    public GuestValueType Actual { get; }
}
