using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>Puts the result of a host function on the guest's input buffer.</summary>
internal static class HostFunctionResult
{
    /// <param name="input">The buffer.</param>
    /// <param name="functionName">The host function, for errors.</param>
    /// <param name="value">The result.</param>
    /// <param name="length">The length of the message, as it was measured with the encoder.</param>
    /// <exception cref="MessageTooLargeException">It does not fit the input buffer.</exception>
    public static void Send<T>(SharedBuffer input, string functionName, T value, long length)
        where T : allows ref struct
    {
        Span<byte> target = input.Reserve(length, "The result of host function", functionName, out int start);
        FunctionResultEncoder.EncodeValue(target, value);
        input.Commit(start, target.Length);
    }
}
