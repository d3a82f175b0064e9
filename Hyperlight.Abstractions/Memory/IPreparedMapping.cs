namespace Hyperlight.Abstractions;

/// <summary>
/// Phase one of a file mapping: the file is open and mapped in the host, no virtual machine is needed yet. Disposing it
/// releases the resources exactly once, unless they were consumed: from then on the consumer owns them.
/// </summary>
public interface IPreparedMapping : IDisposable
{
    /// <summary>Guest physical address of the first byte, page aligned.</summary>
    ulong GuestAddress { get; }

    /// <summary>Bytes mapped: the file's length rounded up to a page. The rest of the last page reads as zero.</summary>
    nuint Size { get; }

    /// <summary>Name under which a guest may find the mapping.</summary>
    string Label { get; }

    /// <summary>Whether ownership has moved on.</summary>
    bool IsConsumed { get; }

    /// <summary>
    /// What went wrong when <see cref="IDisposable.Dispose"/> released the resources, for the caller to log; disposing never
    /// throws. <see langword="null"/> if nothing went wrong.
    /// </summary>
    HypervisorException? CleanupFailure { get; }

    /// <summary>Describes the mapping to the virtual machine: readable, executable, never writable.</summary>
    /// <exception cref="InvalidOperationException">The mapping was consumed.</exception>
    /// <exception cref="ObjectDisposedException">The mapping was disposed.</exception>
    GuestMapping ToGuestMapping();

    /// <summary>Hands the host memory over, exactly once.</summary>
    /// <exception cref="InvalidOperationException">The mapping was consumed already.</exception>
    /// <exception cref="ObjectDisposedException">The mapping was disposed.</exception>
    IMemoryRegion Consume();
}
