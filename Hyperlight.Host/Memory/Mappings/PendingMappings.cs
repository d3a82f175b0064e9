using Hyperlight.Abstractions;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Memory.Mappings;

/// <summary>Files that are open and wait for a virtual machine, in the order in which they will be mapped.</summary>
internal sealed class PendingMappings(ILogger logger) : IDisposable
{
    private readonly List<IPreparedMapping> _files = [];

    public int Count => _files.Count;

    public IEnumerable<GuestRange> Ranges => _files.Select(f => GuestRange.OfMapping(f.Label, f.GuestAddress, f.Size));

    public IReadOnlyList<SandboxMapping> Describe() => [.. _files.Select(Describe)];

    /// <summary>Takes ownership of a file.</summary>
    public SandboxMapping Add(IPreparedMapping file)
    {
        _files.Add(file);
        return Describe(file);
    }

    /// <summary>Maps every file, in order. The first failure ends it; what is mapped by then belongs to the table.</summary>
    public void Apply(MappedRegions mappings)
    {
        foreach (IPreparedMapping file in _files)
        {
            mappings.Map(file);
        }
    }

    /// <summary>Releases every file that was not mapped.</summary>
    public void Dispose()
    {
        foreach (IPreparedMapping file in _files)
        {
            FilePreparation.Release(file, logger);
        }

        _files.Clear();
    }

    private static SandboxMapping Describe(IPreparedMapping file) =>
        new(file.Label, file.GuestAddress, file.Size, MemoryFlags.Read | MemoryFlags.Execute, MemoryRegionKind.File);
}
