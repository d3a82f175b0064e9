namespace Hyperlight.Abstractions;

/// <summary>
/// Phase one of a file mapping, the same for every driver: checks what can be checked before the file is opened, and knows
/// who owns the opened file. The driver supplies the one step that differs, opening it.
/// </summary>
public sealed class PreparedMapping : IPreparedMapping
{
    private readonly IMemoryRegion _region;
    private int _state;

    private PreparedMapping(IMemoryRegion region, ulong guestAddress, string label)
    {
        _region = region;
        Size = region.Size;
        GuestAddress = guestAddress;
        Label = label;
    }

    private enum State
    {
        Prepared,
        Consumed,
        Disposed,
    }

    /// <inheritdoc/>
    public ulong GuestAddress { get; }

    /// <inheritdoc/>
    public nuint Size { get; }

    /// <inheritdoc/>
    public string Label { get; }

    /// <inheritdoc/>
    public bool IsConsumed => Current == State.Consumed;

    /// <inheritdoc/>
    public HypervisorException? CleanupFailure { get; private set; }

    private State Current => (State)Volatile.Read(ref _state);

    /// <summary>Checks label and address, opens the file, and checks that it fits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="guestAddress">Guest physical address of the first byte.</param>
    /// <param name="label">The explicit label, or <see langword="null"/>.</param>
    /// <param name="open">Opens the file; called once, after everything else was checked.</param>
    /// <exception cref="ArgumentException">The path is empty or holds NUL, or the label is invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or the range leaves guest physical space.</exception>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is empty.</exception>
    public static PreparedMapping Prepare(string path, ulong guestAddress, string? label, Func<string, IMemoryRegion> open)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(open);
        if (path.Contains('\0'))
        {
            throw new ArgumentException("The path must not contain NUL.", nameof(path));
        }

        string chosenLabel = MappingLabel.Choose(path, label);
        GuestPhysicalSpace.CheckAddress(guestAddress);
        var mapping = new PreparedMapping(open(path), guestAddress, chosenLabel);
        try
        {
            GuestPhysicalSpace.CheckRange(guestAddress, mapping.Size);
            return mapping;
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public GuestMapping ToGuestMapping()
    {
        ThrowUnlessPrepared(Current);
        return GuestMapping.Whole(GuestAddress, _region, MemoryFlags.Read | MemoryFlags.Execute);
    }

    /// <inheritdoc/>
    public IMemoryRegion Consume()
    {
        ThrowUnlessPrepared(Leave(State.Consumed));
        return _region;
    }

    /// <summary>Releases the file, unless it was consumed. Never throws: see <see cref="CleanupFailure"/>.</summary>
    public void Dispose()
    {
        if (Leave(State.Disposed) != State.Prepared)
        {
            return;
        }

        try
        {
            _region.Dispose();
        }
        catch (HypervisorException exception)
        {
            CleanupFailure = exception;
        }
    }

    /// <summary>Moves on from the prepared state, and returns the state before.</summary>
    private State Leave(State next) =>
        (State)Interlocked.CompareExchange(ref _state, (int)next, (int)State.Prepared);

    private void ThrowUnlessPrepared(State state)
    {
        if (state == State.Disposed)
        {
            throw new ObjectDisposedException(nameof(PreparedMapping), $"The prepared mapping '{Label}' was disposed.");
        }

        if (state == State.Consumed)
        {
            throw new InvalidOperationException($"The prepared mapping '{Label}' was consumed already.");
        }
    }
}
