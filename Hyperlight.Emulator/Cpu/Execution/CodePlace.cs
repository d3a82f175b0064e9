using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>A linear page that compiled code relies on, and the memory that was found there.</summary>
internal sealed class CodePlace(ulong address, HostPage page)
{
    private CodePlace[]? _alone;

    /// <summary>Linear address of the page.</summary>
    public ulong Address => address;

    /// <summary>The memory.</summary>
    public HostPage Page => page;

    /// <summary>It, as the only place of a region: most regions are in one page, and each would have a list of its own.</summary>
    public CodePlace[] Alone => _alone ??= [this];

    /// <summary>Whether the address still leads there, for the privilege that it was found for.</summary>
    public bool IsInPlace { get; set; } = true;
}
