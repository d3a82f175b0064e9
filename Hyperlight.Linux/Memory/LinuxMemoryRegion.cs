using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Linux;

/// <summary>
/// Zero-filled memory between two inaccessible pages, so that a stray access next to it ends the process instead
/// of corrupting it. Nothing is reserved: a page costs memory once it is touched.
/// </summary>
internal sealed unsafe class LinuxMemoryRegion : IMemoryRegion
{
    /// <summary>
    /// From this size on, pages are given back to the kernel instead of being overwritten. A page that was given back and is
    /// touched again costs some twenty times what overwriting it does, so this pays where fewer than one page in twenty is.
    /// </summary>
    internal const nuint DiscardThreshold = 2 << 20;

    private readonly ILinuxKernel _kernel;
    private readonly string _driver;
    private readonly MemoryMapHandle _handle;
    private readonly bool _isPinnable;
    private bool _isReadOnly;

    private LinuxMemoryRegion(ILinuxKernel kernel, string driver, MemoryMapHandle handle, nuint size, bool isPinnable)
    {
        _isPinnable = isPinnable;
        _kernel = kernel;
        _driver = driver;
        _handle = handle;
        Size = size;
    }

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.Anonymous;

    public SafeHandle Handle => _handle;

    /// <summary>Allocates a region.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="size">Bytes, a positive multiple of a page.</param>
    public static LinuxMemoryRegion Allocate(ILinuxKernel kernel, string driver, nuint size) =>
        Allocate(kernel, driver, size, isPinnable: false);

    /// <summary>
    /// Allocates a region for a hypervisor that pins pages when they are mapped, for writing whatever the guest may do: the
    /// memory is shared, so that all guests which map it see the same pages, stays writable in this process, and no page of
    /// it is ever replaced by another.
    /// </summary>
    /// <inheritdoc cref="Allocate(ILinuxKernel, string, nuint)"/>
    public static LinuxMemoryRegion AllocatePinnable(ILinuxKernel kernel, string driver, nuint size) =>
        Allocate(kernel, driver, size, isPinnable: true);

    private static LinuxMemoryRegion Allocate(ILinuxKernel kernel, string driver, nuint size, bool isPinnable)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, (nuint)nint.MaxValue - (2 * GuestPage.Size));
        if (!GuestPage.IsAligned(size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The size must be a multiple of {GuestPage.Size} bytes.");
        }

        // Everything starts inaccessible and the middle is opened, which leaves the guard pages on both sides.
        nuint length = size + (2 * GuestPage.Size);
        int sharing = isPinnable ? LibC.MAP_SHARED : LibC.MAP_PRIVATE;
        nint address = kernel.MapMemory(
            length, LibC.PROT_NONE, sharing | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE, fd: -1);
        if (address is < 0 and >= -4095)
        {
            throw Errno.ToException(driver, "mmap", (int)-address);
        }

        MemoryMapHandle handle = new(kernel, address, length, guard: GuestPage.Size);
        int result = kernel.ProtectMemory(address + GuestPage.Size, size, LibC.PROT_READ | LibC.PROT_WRITE);
        if (result < 0)
        {
            handle.Dispose();
            throw Errno.ToException(driver, "mprotect", -result);
        }

        return new LinuxMemoryRegion(kernel, driver, handle, size, isPinnable);
    }

    public void Read(nuint offset, Span<byte> destination)
    {
        Slice(offset, destination.Length).CopyTo(destination);
        GC.KeepAlive(this);
    }

    public void Write(nuint offset, ReadOnlySpan<byte> source)
    {
        CheckWritable();
        source.CopyTo(Slice(offset, source.Length));
        GC.KeepAlive(this);
    }

    public void Clear(nuint offset, nuint length)
    {
        CheckWritable();
        byte* start = Locate(offset, length);
        if (length >= DiscardThreshold && !_isPinnable)
        {
            ClearByDiscarding(start, length);
        }
        else
        {
            // SAFETY: Locate checked the range.
            NativeMemory.Clear(start, length);
        }

        GC.KeepAlive(this);
    }

    public Span<byte> GetSpan(nuint offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        CheckWritable();
        return Slice(offset, length);
    }

    public void MakeReadOnly()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        if (_isReadOnly)
        {
            return;
        }

        if (_isPinnable)
        {
            // Pages of protected memory could not be pinned any more.
            _isReadOnly = true;
            return;
        }

        int result = _kernel.ProtectMemory(_handle.DangerousGetHandle(), Size, LibC.PROT_READ);
        GC.KeepAlive(this);
        if (result < 0)
        {
            throw Errno.ToException(_driver, "mprotect", -result);
        }

        _isReadOnly = true;
    }

    public void Dispose()
    {
        ReleaseFailures failures = default;
        failures.Dispose(_handle);
        failures.ThrowIfAny(_driver);
    }

    /// <summary>Gives whole pages back, so that they read as zero again, and overwrites what is left at the ends.</summary>
    private void ClearByDiscarding(byte* start, nuint length)
    {
        byte* end = start + length;
        byte* firstPage = (byte*)GuestPage.RoundUp((ulong)start);
        byte* lastPage = (byte*)((ulong)end & ~(ulong)(GuestPage.Size - 1));
        if (_kernel.AdviseMemory((nint)firstPage, (nuint)(lastPage - firstPage), LibC.MADV_DONTNEED) < 0)
        {
            // Locked memory cannot be given back.
            firstPage = lastPage = end;
        }

        // SAFETY: both ranges lie within the one that Locate checked.
        NativeMemory.Clear(start, (nuint)(firstPage - start));
        NativeMemory.Clear(lastPage, (nuint)(end - lastPage));
    }

    private void CheckWritable()
    {
        if (_isReadOnly)
        {
            throw new NotSupportedException("The region is read-only.");
        }
    }

    // SAFETY: Locate checked the range; who holds the span keeps the region alive, as the contract says.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Slice(nuint offset, int length) => new(Locate(offset, (nuint)length), length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Locate(nuint offset, nuint length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        RegionBounds.Check(offset, length, Size);
        return (byte*)_handle.DangerousGetHandle() + offset;
    }
}
