using Hyperlight.Abstractions;

namespace Hyperlight.Linux;

/// <summary>A file that is open and mapped in the host, and not yet in a guest.</summary>
internal sealed class LinuxPreparedMapping : IPreparedMapping
{
    private readonly FileMemoryRegion _region;
    private int _state;

    private LinuxPreparedMapping(FileMemoryRegion region, ulong guestAddress, string label)
    {
        _region = region;
        GuestAddress = guestAddress;
        Label = label;
    }

    private enum State
    {
        Prepared,
        Consumed,
        Disposed,
    }

    public ulong GuestAddress { get; }

    public nuint Size => _region.Size;

    public string Label { get; }

    public bool IsConsumed => Current == State.Consumed;

    private State Current => (State)Volatile.Read(ref _state);

    /// <summary>Opens a file for a guest.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="path">The file.</param>
    /// <param name="guestAddress">Guest physical address of the first byte.</param>
    /// <param name="label">The explicit label, or <see langword="null"/>.</param>
    /// <param name="protection">PROT_READ, and PROT_WRITE for a hypervisor that pins pages for writing.</param>
    public static LinuxPreparedMapping Open(
        ILinuxKernel kernel, string driver, string path, ulong guestAddress, string? label, int protection)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains('\0'))
        {
            throw new ArgumentException("The path must not contain NUL.", nameof(path));
        }

        string chosenLabel = MappingLabel.Choose(path, label);
        GuestPhysicalSpace.CheckAddress(guestAddress);
        FileMemoryRegion region = FileMemoryRegion.Open(kernel, driver, path, protection);
        try
        {
            GuestPhysicalSpace.CheckRange(guestAddress, region.Size);
            return new LinuxPreparedMapping(region, guestAddress, chosenLabel);
        }
        catch
        {
            region.Dispose();
            throw;
        }
    }

    public GuestMapping ToGuestMapping()
    {
        ThrowUnlessPrepared(Current);
        return GuestMapping.Whole(GuestAddress, _region, MemoryFlags.Read | MemoryFlags.Execute);
    }

    public IMemoryRegion Consume()
    {
        ThrowUnlessPrepared(Leave(State.Consumed));
        return _region;
    }

    public void Dispose()
    {
        if (Leave(State.Disposed) == State.Prepared)
        {
            _region.Dispose();
        }
    }

    /// <summary>Moves on from the prepared state, and returns the state before.</summary>
    private State Leave(State next) =>
        (State)Interlocked.CompareExchange(ref _state, (int)next, (int)State.Prepared);

    private void ThrowUnlessPrepared(State state)
    {
        ObjectDisposedException.ThrowIf(state == State.Disposed, this);
        if (state == State.Consumed)
        {
            throw new InvalidOperationException($"The prepared mapping '{Label}' was consumed already.");
        }
    }
}
