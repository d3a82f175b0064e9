namespace Hyperlight;

/// <summary>Arguments or a host function's result do not fit the buffer to the guest.</summary>
public sealed class MessageTooLargeException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="what">What was to be sent.</param>
    /// <param name="size">Its size in bytes, encoded.</param>
    /// <param name="limit">The bytes that fit.</param>
    public MessageTooLargeException(string what, long size, long limit)
        : base($"{what} needs {size} bytes, but {limit} fit the input buffer. "
            + $"Raise {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.InputBufferSize)}.")
    {
        Size = size;
        Limit = limit;
    }

    /// <summary>The message's size in bytes, encoded.</summary>
    public long Size { get; }

    /// <summary>The bytes that fit.</summary>
    public long Limit { get; }
}
