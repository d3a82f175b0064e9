namespace Hyperlight.Abstractions;

/// <summary>What a guest may do with guest physical memory.</summary>
[Flags]
public enum MemoryFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read.</summary>
    Read = 1,

    /// <summary>Write.</summary>
    Write = 2,

    /// <summary>Execute. Hypervisors that cannot forbid it (KVM) permit it with <see cref="Read"/>.</summary>
    Execute = 4,
}
