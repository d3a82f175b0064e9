using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// Zero-filled memory outside the managed heap, page aligned. The allocator takes large blocks from the operating system
/// untouched, so a page of them costs memory once it is used.
/// </summary>
internal sealed unsafe class NativeRegion : IMemoryRegion
{
    private readonly Block _block;
    private bool _isReadOnly;

    /// <param name="size">Bytes, a positive multiple of a page.</param>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public NativeRegion(nuint size)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, (nuint)nint.MaxValue - GuestPage.Size);
        if (!GuestPage.IsAligned(size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The size must be a multiple of {GuestPage.Size} bytes.");
        }

        _block = new Block(size);
        Size = size;
    }

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.Anonymous;

    public SafeHandle Handle => _block;

    /// <summary>Whether nothing writes to it any more.</summary>
    public bool IsReadOnly => _isReadOnly;

    public void Read(nuint offset, Span<byte> destination)
    {
        new ReadOnlySpan<byte>(Locate(offset, (nuint)destination.Length), destination.Length).CopyTo(destination);
        GC.KeepAlive(this);
    }

    public void Write(nuint offset, ReadOnlySpan<byte> source)
    {
        source.CopyTo(new Span<byte>(LocateWritable(offset, (nuint)source.Length), source.Length));
        GC.KeepAlive(this);
    }

    public void Clear(nuint offset, nuint length)
    {
        NativeMemory.Clear(LocateWritable(offset, length), length);
        GC.KeepAlive(this);
    }

    public Span<byte> GetSpan(nuint offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new Span<byte>(LocateWritable(offset, (nuint)length), length);
    }

    /// <inheritdoc/>
    public void MakeReadOnly()
    {
        ObjectDisposedException.ThrowIf(_block.IsClosed, this);
        _isReadOnly = true;
    }

    public void Dispose() => _block.Dispose();

    private byte* LocateWritable(nuint offset, nuint length) =>
        _isReadOnly ? throw new NotSupportedException("The region is read-only.") : Locate(offset, length);

    // SAFETY: every access passes this check, and the block is freed when its last reference is released.
    private byte* Locate(nuint offset, nuint length)
    {
        ObjectDisposedException.ThrowIf(_block.IsClosed, this);
        if (offset > Size || length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        return (byte*)_block.DangerousGetHandle() + offset;
    }

    /// <summary>The allocation; its value is the first whole page of it.</summary>
    private sealed class Block : SafeHandle
    {
        private readonly void* _allocation;

        public Block(nuint size)
            : base(0, ownsHandle: true)
        {
            _allocation = NativeMemory.AllocZeroed(size + GuestPage.Size);
            SetHandle((nint)GuestPage.RoundUp((ulong)_allocation));
        }

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            NativeMemory.Free(_allocation);
            return true;
        }
    }
}
