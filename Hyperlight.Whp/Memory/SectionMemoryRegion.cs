using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// Zero-filled memory between two inaccessible pages, backed by a section. A large region that is cleared as a whole gets a
/// fresh section, in every machine that maps it: pages that are not touched again then cost nothing, neither time nor
/// memory. Pages must never be discarded under a mapping: the hypervisor would keep the former ones.
/// </summary>
internal sealed unsafe class SectionMemoryRegion : ISectionRegion
{
    /// <summary>From this size on, replacing a section is cheaper than overwriting its memory.</summary>
    internal const nuint ReplaceThreshold = 16 << 20;

    private readonly IWindowsKernel _kernel;
    private readonly Lock _lock = new();

    /// <summary>Not kept alive: a machine that is dropped is collected, although other machines share the region.</summary>
    private readonly List<WeakReference<ISectionUser>> _users = [];
    private SectionMemory _memory;
    private bool _isReadOnly;

    private SectionMemoryRegion(IWindowsKernel kernel, SectionMemory memory, nuint size)
    {
        _kernel = kernel;
        _memory = memory;
        Size = size;
        SectionViews.Add(memory.View.DangerousGetHandle(), this);
    }

    public nuint Size { get; }

    public MemoryRegionKind Kind => MemoryRegionKind.Anonymous;

    public SafeHandle Handle => _memory.View;

    public SectionHandle Section => _memory.Section;

    public int Guard => GuestPage.Size;

    public bool IsReadOnly => _isReadOnly;

    /// <summary>The section and the view.</summary>
    public SectionMemory Memory => _memory;

    /// <summary>Allocates a region.</summary>
    /// <param name="kernel">Windows.</param>
    /// <param name="size">Bytes, a positive multiple of a page.</param>
    public static SectionMemoryRegion Allocate(IWindowsKernel kernel, nuint size)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, (nuint)nint.MaxValue - (2 * GuestPage.Size));
        if (!GuestPage.IsAligned(size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The size must be a multiple of {GuestPage.Size} bytes.");
        }

        return new SectionMemoryRegion(kernel, SectionMemory.Allocate(kernel, size), size);
    }

    /// <summary>A machine maps the region.</summary>
    public void Add(ISectionUser user)
    {
        lock (_lock)
        {
            _users.RemoveAll(static u => !u.TryGetTarget(out _));
            _users.Add(new WeakReference<ISectionUser>(user));
        }
    }

    /// <summary>A machine does not map the region any more, or once less.</summary>
    public void Remove(ISectionUser user)
    {
        lock (_lock)
        {
            int index = _users.FindIndex(u => u.TryGetTarget(out ISectionUser? target) && target == user);
            if (index >= 0)
            {
                _users.RemoveAt(index);
            }
        }
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

    /// <inheritdoc/>
    /// <exception cref="HypervisorException">The memory of a large region cannot be replaced; it is not cleared.</exception>
    public void Clear(nuint offset, nuint length)
    {
        CheckWritable();
        byte* start = Locate(offset, length);
        if (length < ReplaceThreshold || length != Size || !TryReplace())
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
        ObjectDisposedException.ThrowIf(_memory.View.IsClosed, this);
        if (_isReadOnly)
        {
            return;
        }

        WhpError.CheckWin32(_kernel.Protect(_memory.View.DangerousGetHandle(), Size, Kernel32.PAGE_READONLY), "VirtualProtect");
        GC.KeepAlive(this);
        _isReadOnly = true;
    }

    public void Dispose() => _memory.Release();

    /// <summary>Puts a fresh section in the place of the memory, unless it is mapped more than once.</summary>
    private bool TryReplace()
    {
        SectionMemory former = _memory;
        lock (_lock)
        {
            _users.RemoveAll(static u => !u.TryGetTarget(out _));
            if (_users.Count > 1)
            {
                return false;
            }

            ISectionUser? user = null;
            if (_users.Count == 1)
            {
                _users[0].TryGetTarget(out user);
            }

            SectionMemory fresh = SectionMemory.Allocate(_kernel, Size);
            try
            {
                user?.Replace(this, fresh);
                _memory = fresh;
                SectionViews.Add(fresh.View.DangerousGetHandle(), this);
            }
            catch
            {
                fresh.View.Dispose();
                throw;
            }
        }

        former.Release();
        return true;
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
        ViewHandle view = _memory.View;
        ObjectDisposedException.ThrowIf(view.IsClosed, this);
        if (offset > Size || length > Size - offset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"The range of {length} bytes at offset {offset} leaves the region of {Size} bytes.");
        }

        return (byte*)view.DangerousGetHandle() + offset;
    }
}
