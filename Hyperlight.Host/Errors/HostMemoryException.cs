namespace Hyperlight;

/// <summary>
/// The host process has not enough memory for an operation: an <see cref="OutOfMemoryException"/> is inside. A limit on the
/// garbage collector's heap, as containers have, is a frequent cause.
/// </summary>
public sealed class HostMemoryException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="operation">What needed the memory, such as <c>A call</c>.</param>
    /// <param name="innerException">What the runtime threw.</param>
    public HostMemoryException(string operation, OutOfMemoryException innerException)
        : base(
            $"{operation} needs more memory than the process has. Raise the limit of the process or of the garbage collector's heap, or use smaller guests, buffers and messages.",
            innerException)
    {
    }
}
