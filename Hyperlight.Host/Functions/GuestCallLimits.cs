using Hyperlight.Host.Diagnostics;

namespace Hyperlight.Host.Functions;

/// <summary>What the guest ABI says of every call. A call beyond it is refused before the guest is entered.</summary>
internal static class GuestCallLimits
{
    /// <summary>How many arguments a registered guest function can have.</summary>
    public const int MaximumArguments = 11;

    /// <summary>Refuses a call that no guest can answer.</summary>
    /// <exception cref="ArgumentException">The name is empty, or there are too many arguments.</exception>
    public static void Check(string functionName, int argumentCount)
    {
        ArgumentException.ThrowIfNullOrEmpty(functionName);
        if (argumentCount > MaximumArguments)
        {
            throw new ArgumentException(
                $"A guest function takes at most {MaximumArguments} arguments, but '{GuestText.Escape(functionName)}' was called with {argumentCount}.");
        }
    }
}
