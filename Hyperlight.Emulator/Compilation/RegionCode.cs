using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Compiled code of a region. It works on whichever processor it is given.</summary>
/// <param name="size">About how many bytes of the host's memory it takes.</param>
internal abstract class RegionCode(int size)
{
    /// <summary>About how many bytes of the host's memory it takes.</summary>
    public int Size => size;

    /// <summary>Whether it can run with these rights.</summary>
    /// <param name="isUser">Whether accesses are those of a user.</param>
    public virtual bool IsFor(bool isUser) => true;

    /// <summary>Whether other code goes on in it directly, without the processor.</summary>
    /// <param name="isUser">Whether the accesses of the other code are those of a user.</param>
    public virtual bool HasLinks(bool isUser) => false;

    /// <summary>Enters the region, and says what to do next.</summary>
    /// <param name="runner">That of the processor whose registers and memory it works on.</param>
    /// <param name="region">The region, as the processor found it in its guest.</param>
    /// <param name="entry">Which of the region's blocks to begin with.</param>
    public abstract RegionExit Run(RegionRunner runner, Region region, int entry);
}
