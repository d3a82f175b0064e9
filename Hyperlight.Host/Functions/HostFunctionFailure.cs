using Hyperlight.Host.Errors;

namespace Hyperlight.Host.Functions;

/// <summary>
/// A call of a host function that failed. The guest gets the short text, which is part of the guest ABI; the application gets
/// the description, which names the function.
/// </summary>
/// <param name="GuestText">The text for the guest.</param>
/// <param name="Description">The description for the application.</param>
/// <param name="Exception">What the function threw, if it did.</param>
internal sealed record HostFunctionFailure(string GuestText, string Description, Exception? Exception = null)
{
    // The texts for the guest are those of hyperlight-host 0.15, to the letter: guests compare them.

    /// <summary>The sandbox has no such function.</summary>
    public static HostFunctionFailure NotFound(string name) =>
        new($"HostFunction {name} was not found", $"Host function '{Diagnostics.GuestText.Escape(name)}' is not registered.");

    /// <summary>The guest passed more or fewer arguments than the function takes.</summary>
    public static HostFunctionFailure WrongCount(HostFunction function, int passed) => new(
        $"The number of arguments to the function is wrong: got {passed} expected {function.Parameters.Length}",
        $"Host function '{function.Name}' takes {function.Parameters.Length} argument(s), but the guest passed {passed}.");

    /// <summary>An argument has another type than the function takes.</summary>
    /// <param name="function">The function.</param>
    /// <param name="index">Which argument, from 0.</param>
    /// <param name="passed">The type that the guest passed.</param>
    /// <param name="value">The value, as <see cref="ArgumentText"/> has it.</param>
    public static HostFunctionFailure WrongType(HostFunction function, int index, GuestValueType passed, string value)
    {
        GuestValueType expected = function.Parameters[index];
        return new HostFunctionFailure(
            $"Failed To Convert Parameter Value {value} to \"{ArgumentText.TypeName(expected)}\"",
            $"Argument {index} of host function '{function.Name}' is {expected}, but the guest passed {passed}.");
    }

    /// <summary>The function threw.</summary>
    public static HostFunctionFailure Threw(HostFunction function, Exception exception)
    {
        string message = ExceptionText.MessageOf(exception);
        return new HostFunctionFailure(message, $"Host function '{function.Name}' failed: {message}", exception);
    }
}
