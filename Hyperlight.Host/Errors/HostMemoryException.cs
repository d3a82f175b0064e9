namespace Hyperlight;

/// <summary>
/// The host process is out of memory. The inner exception is an <see cref="OutOfMemoryException"/>. A frequent cause is a
/// limit of the garbage collector's heap, as in containers.
/// </summary>
public sealed class HostMemoryException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="operation">The operation that needed the memory, such as <c>A call</c>.</param>
    /// <param name="innerException">The exception of the runtime.</param>
    public HostMemoryException(string operation, OutOfMemoryException innerException)
        : base(
            $"{operation} needs more memory than the process has. Raise the limit of the process or of the garbage collector's heap, or use smaller guests, buffers and messages.",
            innerException)
    {
    }
}
