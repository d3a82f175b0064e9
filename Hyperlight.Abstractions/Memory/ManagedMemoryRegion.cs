using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Abstractions;

/// <summary>
/// A region in the managed heap: pinned, zero-filled and page aligned. For drivers that run in this process, and for tests
/// that need real memory without a hypervisor.
/// </summary>
public sealed class ManagedMemoryRegion : IMemoryRegion
{
    private readonly int _start;
    private readonly PinnedArrayHandle _handle;
    private bool _isReadOnly;

    /// <summary>Allocates the memory.</summary>
    /// <param name="size">Bytes, a positive multiple of <see cref="GuestPage.Size"/>, below 2 GiB.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is out of range or not a multiple of a page.</exception>
    public ManagedMemoryRegion(nuint size)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, (nuint)(Array.MaxLength - GuestPage.Size));
        if (!GuestPage.IsAligned(size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The size must be a multiple of {GuestPage.Size} bytes.");
        }

        byte[] array = GC.AllocateArray<byte>((int)size + GuestPage.Size, pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        _start = (int)(GuestPage.RoundUp((ulong)address) - (ulong)address);
        _handle = new PinnedArrayHandle(array, address + _start);
        Size = size;
    }

    /// <inheritdoc/>
    public nuint Size { get; }

    /// <inheritdoc/>
    public MemoryRegionKind Kind => MemoryRegionKind.Managed;

    /// <inheritdoc/>
    public SafeHandle Handle => _handle;

    /// <inheritdoc/>
    public void Read(nuint offset, Span<byte> destination) => Slice(offset, (nuint)destination.Length).CopyTo(destination);

    /// <inheritdoc/>
    public void Write(nuint offset, ReadOnlySpan<byte> source) => source.CopyTo(WritableSlice(offset, (nuint)source.Length));

    /// <inheritdoc/>
    public void Clear(nuint offset, nuint length) => WritableSlice(offset, length).Clear();

    /// <inheritdoc/>
    public Span<byte> GetSpan(nuint offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return WritableSlice(offset, (nuint)length);
    }

    /// <inheritdoc/>
    public void MakeReadOnly()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        _isReadOnly = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private Span<byte> WritableSlice(nuint offset, nuint length) =>
        _isReadOnly ? throw new NotSupportedException("The region is read-only.") : Slice(offset, length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Slice(nuint offset, nuint length)
    {
        byte[]? array = _handle.Array;
        ObjectDisposedException.ThrowIf(_handle.IsClosed || array is null, this);
        if (offset > Size || length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        return array.AsSpan(_start + (int)offset, (int)length);
    }

    /// <summary>
    /// Holds the array as long as there is a reference to the handle, and no longer: a disposed region that is still
    /// referenced costs nothing.
    /// </summary>
    private sealed class PinnedArrayHandle : SafeHandle
    {
        public PinnedArrayHandle(byte[] array, nint address)
            : base(0, ownsHandle: true)
        {
            Array = array;
            SetHandle(address);
        }

        public byte[]? Array { get; private set; }

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            Array = null;
            return true;
        }
    }
}
