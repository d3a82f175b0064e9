namespace Hyperlight.Tests.Whp;

/// <summary>A view of a section.</summary>
/// <param name="process">The process; null for this one.</param>
/// <param name="address">The first byte.</param>
/// <param name="mappedSize">Bytes of whole pages.</param>
/// <param name="protection">PAGE_READONLY or PAGE_READWRITE.</param>
/// <param name="isOfFile">Whether the section is one of a file.</param>
internal sealed class SimulatedView(SimulatedProcess? process, ulong address, ulong mappedSize, uint protection, bool isOfFile)
{
    private const uint NoAccess = 1;
    private const uint ReadWrite = 4;
    private const ulong PageSize = 4096;

    private readonly List<(ulong First, ulong Size)> _inaccessible = [];

    public SimulatedProcess? Process => process;

    public ulong Address => address;

    public ulong MappedSize => mappedSize;

    public bool IsWritable => protection == ReadWrite;

    /// <summary>Whether a stray access next to memory of guests ends the process: the first and the last page are inaccessible.</summary>
    public bool HasGuards => isOfFile || (IsInaccessible(address, PageSize) && IsInaccessible(address + mappedSize - PageSize, PageSize));

    public void Protect(ulong first, ulong size, uint newProtection)
    {
        if (newProtection == NoAccess)
        {
            _inaccessible.Add((first, size));
        }
    }

    /// <summary>Whether a page of a range is inaccessible.</summary>
    public bool IsInaccessible(ulong first, ulong size) =>
        _inaccessible.Exists(r => first < r.First + r.Size && r.First < first + size);
}
