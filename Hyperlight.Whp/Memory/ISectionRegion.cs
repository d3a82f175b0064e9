using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>A region that is a section, which a surrogate can map.</summary>
internal interface ISectionRegion : IMemoryRegion
{
    /// <summary>The section. It lives as long as <see cref="IMemoryRegion.Handle"/>, the view of it in this process.</summary>
    SectionHandle Section { get; }

    /// <summary>Bytes before the first usable one, and behind the last one: inaccessible pages, or 0.</summary>
    int Guard { get; }

    /// <summary>Whether a view may only be read.</summary>
    bool IsReadOnly { get; }
}
