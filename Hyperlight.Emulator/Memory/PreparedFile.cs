using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>A file, read into managed memory when it is prepared.</summary>
internal sealed class PreparedFile(IMemoryRegion region, ulong guestAddress, string label) : IPreparedMapping
{
    private IMemoryRegion? _region = region;

    public ulong GuestAddress { get; } = guestAddress;

    public nuint Size { get; } = region.Size;

    public string Label { get; } = label;

    public bool IsConsumed { get; private set; }

    /// <summary>Reads the file.</summary>
    public static PreparedFile Read(string path, ulong guestAddress, string? label)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string name = MappingLabel.Choose(path, label);
        if (!GuestPage.IsAligned(guestAddress))
        {
            throw new ArgumentOutOfRangeException(nameof(guestAddress), guestAddress, "The address must be page aligned.");
        }

        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FileMappingException(path, EmulatorHypervisor.DriverName, "read", exception.HResult, exception.Message);
        }

        if (bytes.Length == 0)
        {
            throw new FileMappingException(path, EmulatorHypervisor.DriverName, "read", 0, "the file is empty");
        }

        nuint size = (nuint)GuestPage.RoundUp((ulong)bytes.Length);
        if (guestAddress > ulong.MaxValue - size)
        {
            throw new ArgumentOutOfRangeException(nameof(guestAddress), guestAddress, "The range leaves guest physical space.");
        }

        var region = new ManagedMemoryRegion(size);
        region.Write(0, bytes);
        return new PreparedFile(region, guestAddress, name);
    }

    public GuestMapping ToGuestMapping() =>
        GuestMapping.Whole(GuestAddress, Owned(), MemoryFlags.Read | MemoryFlags.Execute);

    public IMemoryRegion Consume()
    {
        IMemoryRegion region = Owned();
        _region = null;
        IsConsumed = true;
        return region;
    }

    public void Dispose()
    {
        _region?.Dispose();
        _region = null;
    }

    private IMemoryRegion Owned()
    {
        if (IsConsumed)
        {
            throw new InvalidOperationException("The file mapping was consumed.");
        }

        ObjectDisposedException.ThrowIf(_region is null, this);
        return _region;
    }
}
