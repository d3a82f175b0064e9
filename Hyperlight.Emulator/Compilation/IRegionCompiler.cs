namespace Hyperlight.Emulator.Compilation;

/// <summary>Turns regions into code of the host. Safe for all threads.</summary>
internal interface IRegionCompiler
{
    /// <summary>How often a block is interpreted before it is worth compiling.</summary>
    int HotThreshold { get; }

    /// <summary>Compiles blocks. The code can be entered at each that does not continue the one before it.</summary>
    /// <param name="nodes">The blocks.</param>
    /// <param name="isUser">Whether the code's accesses are those of a user.</param>
    /// <returns>The code, or <see langword="null"/> if there is no memory for it.</returns>
    RegionCode? Compile(List<RegionNode> nodes, bool isUser);

    /// <summary>Called when code that was compiled is not kept for others any more.</summary>
    void Clear();
}
