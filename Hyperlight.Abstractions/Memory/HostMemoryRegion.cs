using System.Buffers;
using System.Runtime.InteropServices;

namespace Hyperlight.Abstractions;

/// <summary>
/// Memory of the application that can be mapped into guests. The memory is released (unpinned, or passed to the callback)
/// when the region is disposed and no virtual machine maps it any more. Several sandboxes can map one region. The
/// application must not change the memory while a guest that maps it runs, because the guest would see the changes.
/// </summary>
public sealed unsafe class HostMemoryRegion : IMemoryRegion
{
    private readonly MemoryHandleOwner _handle;

    private HostMemoryRegion(MemoryHandleOwner handle, nuint size)
    {
        _handle = handle;
        Size = size;
    }

    /// <inheritdoc/>
    public nuint Size { get; }

    /// <inheritdoc/>
    public MemoryRegionKind Kind => MemoryRegionKind.Host;

    /// <inheritdoc/>
    public SafeHandle Handle => _handle;

    /// <summary>Pins managed memory. It must not be returned to a pool before it is released.</summary>
    /// <param name="memory">The memory; its address and its length must be multiples of <see cref="GuestPage.Size"/>.</param>
    /// <exception cref="ArgumentException">The memory is empty or not page aligned. It is not pinned then.</exception>
    public static HostMemoryRegion Pin(ReadOnlyMemory<byte> memory)
    {
        MemoryHandle pin = memory.Pin();
        try
        {
            Check((nint)pin.Pointer, (nuint)memory.Length);
            return new HostMemoryRegion(new MemoryHandleOwner((nint)pin.Pointer, pin.Dispose), (nuint)memory.Length);
        }
        catch
        {
            pin.Dispose();
            throw;
        }
    }

    /// <summary>Takes native memory.</summary>
    /// <param name="address">Address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="size">Bytes, a positive multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="release">
    /// Called exactly once, on any thread, when the memory is no longer used. It must not throw. <see langword="null"/> if
    /// the memory is never released.
    /// </param>
    /// <exception cref="ArgumentException">The memory is empty or not page aligned. <paramref name="release"/> is not called then.</exception>
    public static HostMemoryRegion FromPointer(nint address, nuint size, Action? release = null)
    {
        Check(address, size);
        return new HostMemoryRegion(new MemoryHandleOwner(address, release), size);
    }

    /// <inheritdoc/>
    public void Read(nuint offset, Span<byte> destination)
    {
        Slice(offset, destination.Length).CopyTo(destination);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Write(nuint offset, ReadOnlySpan<byte> source) => throw ReadOnly();

    /// <inheritdoc/>
    public void Clear(nuint offset, nuint length) => throw ReadOnly();

    /// <inheritdoc/>
    public Span<byte> GetSpan(nuint offset, int length) => throw ReadOnly();

    /// <summary>Does nothing: the region is always read-only.</summary>
    public void MakeReadOnly()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static NotSupportedException ReadOnly() => new("The region is memory of the application, which guests and their host only read.");

    private static void Check(nint address, nuint size)
    {
        if (size == 0 || !GuestPage.IsAligned(size))
        {
            throw new ArgumentException($"The memory's size, {size} bytes, must be a positive multiple of {GuestPage.Size}.");
        }

        if (address == 0 || !GuestPage.IsAligned((ulong)address))
        {
            throw new ArgumentException($"The memory's address, 0x{address:X}, must be a multiple of {GuestPage.Size}.");
        }

        if ((nuint)address > nuint.MaxValue - size)
        {
            throw new ArgumentException($"The memory of {size} bytes at 0x{address:X} wraps around the address space.");
        }
    }

    // SAFETY: the range is checked against the region, whose memory the handle keeps.
    private ReadOnlySpan<byte> Slice(nuint offset, int length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (offset > Size || (nuint)length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        return new ReadOnlySpan<byte>((byte*)_handle.DangerousGetHandle() + offset, length);
    }

    /// <summary>Lets go of the memory when the last user has done so.</summary>
    private sealed class MemoryHandleOwner : SafeHandle
    {
        private readonly Action? _release;

        public MemoryHandleOwner(nint address, Action? release)
            : base(0, ownsHandle: true)
        {
            _release = release;
            SetHandle(address);
        }

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            _release?.Invoke();
            return true;
        }
    }
}
