namespace Hyperlight.Emulator.Compilation;

/// <summary>Turns regions into code of the host. Safe for all threads.</summary>
internal interface IRegionCompiler
{
    /// <summary>How often a block is interpreted before it is worth compiling.</summary>
    int HotThreshold { get; }

    /// <summary>Whether it asks in which pages memory operands were: <see cref="Decoding.BlockNotes.FindPage"/>.</summary>
    bool UsesPages { get; }

    /// <summary>Compiles blocks. The code can be entered at each that does not continue the one before it.</summary>
    /// <param name="nodes">The blocks.</param>
    /// <param name="isUser">Whether the code's accesses are those of a user.</param>
    /// <param name="isTooLarge">Whether there is no code because it would be too large, however much memory is free.</param>
    /// <returns>The code, or <see langword="null"/> if there is no memory for it or it would be too large.</returns>
    RegionCode? Compile(List<RegionNode> nodes, bool isUser, out bool isTooLarge);

    /// <summary>Called when code that was compiled is not kept for others any more.</summary>
    void Clear();
}
