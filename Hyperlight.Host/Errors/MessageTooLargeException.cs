using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>Arguments or a host function's result do not fit the buffer to the guest.</summary>
public sealed class MessageTooLargeException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="what">What was to be sent.</param>
    /// <param name="size">Its size in bytes, encoded.</param>
    /// <param name="limit">The bytes that fit; negative if the buffer is so full that not even an empty message does.</param>
    /// <param name="bufferSize">The size of the buffer in bytes.</param>
    /// <param name="isFromSnapshot">Whether the sandbox started from a snapshot, which has given it its sizes.</param>
    public MessageTooLargeException(string what, long size, long limit, int bufferSize, bool isFromSnapshot = false)
        : base($"{what} needs {size} bytes, but {Math.Max(limit, 0)} fit the input buffer of {bufferSize} bytes. "
            + Remedy(RequiredSize(size, limit, bufferSize), isFromSnapshot))
    {
        Size = size;
        Limit = Math.Max(limit, 0);
        RequiredBufferSize = RequiredSize(size, limit, bufferSize);
    }

    /// <summary>The message's size in bytes, encoded.</summary>
    public long Size { get; }

    /// <summary>The bytes that fit.</summary>
    public long Limit { get; }

    /// <summary>
    /// The <see cref="SandboxConfiguration.InputBufferSize"/> with which the message would fit; more than
    /// <see cref="SandboxConfiguration.MaximumBufferSize"/> if no buffer is large enough.
    /// </summary>
    public long RequiredBufferSize { get; }

    private static long RequiredSize(long size, long limit, int bufferSize) =>
        (long)GuestPage.RoundUp((ulong)(size - limit + bufferSize));

    private static string Remedy(long required, bool isFromSnapshot) => required > SandboxConfiguration.MaximumBufferSize
        ? $"No buffer is that large: the maximum is {SandboxConfiguration.MaximumBufferSize} bytes. Send it in parts."
        : $"Set {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.InputBufferSize)} to {required} or more"
            + (isFromSnapshot ? ", and take the snapshot again that the sandbox started from: it has given the sandbox its sizes." : ".");
}
