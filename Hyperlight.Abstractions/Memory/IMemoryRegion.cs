using System.Runtime.InteropServices;

namespace Hyperlight.Abstractions;

/// <summary>
/// Host memory that can be mapped into a guest. It owns its operating-system resource. Disposing it releases the
/// memory once no virtual machine maps it any more. Accesses are bounds-checked; they need exclusive access to the region,
/// which its owner provides, and no guest may run on it meanwhile.
/// </summary>
public interface IMemoryRegion : IDisposable
{
    /// <summary>Usable bytes, a multiple of <see cref="GuestPage.Size"/>.</summary>
    nuint Size { get; }

    /// <summary>What backs the memory.</summary>
    MemoryRegionKind Kind { get; }

    /// <summary>
    /// The resource itself; its value is the address of the first usable byte in this process. A driver that maps the
    /// region holds a reference on it, so that the memory outlives the mapping.
    /// </summary>
    SafeHandle Handle { get; }

    /// <summary>Copies memory out.</summary>
    /// <param name="offset">Byte offset of the first byte.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the region.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    void Read(nuint offset, Span<byte> destination);

    /// <summary>Copies bytes in.</summary>
    /// <param name="offset">Byte offset of the first byte.</param>
    /// <param name="source">The bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the region.</exception>
    /// <exception cref="NotSupportedException">The region is read-only.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    void Write(nuint offset, ReadOnlySpan<byte> source);

    /// <summary>Sets bytes to zero, by the cheapest means the operating system has for the size.</summary>
    /// <param name="offset">Byte offset of the first byte.</param>
    /// <param name="length">The number of bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the region.</exception>
    /// <exception cref="NotSupportedException">The region is read-only.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    void Clear(nuint offset, nuint length);

    /// <summary>
    /// The memory itself, for encoding directly into it. Do not use the span after the region was disposed or while a guest
    /// runs: the guest can change its contents at any time.
    /// </summary>
    /// <param name="offset">Byte offset of the first byte.</param>
    /// <param name="length">The number of bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the region.</exception>
    /// <exception cref="NotSupportedException">The region is read-only.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    Span<byte> GetSpan(nuint offset, int length);

    /// <summary>
    /// Makes the region read-only permanently, before several guests share it. Writing to it throws afterwards. If the
    /// operating system can protect the memory, a write that bypasses the region ends the process. Does nothing if the
    /// region is already read-only.
    /// </summary>
    /// <exception cref="HypervisorException">The operating system refused.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    void MakeReadOnly();
}
