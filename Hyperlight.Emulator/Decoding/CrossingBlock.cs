using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>A block of a single instruction that ends in another page than it begins: few do.</summary>
internal sealed class CrossingBlock : Block
{
    /// <param name="page">The page of the first byte.</param>
    /// <param name="lastPage">The page of the last byte.</param>
    /// <param name="code">Its bytes and instruction.</param>
    public CrossingBlock(HostPage page, HostPage lastPage, DecodedCode code)
        : base(page, code)
    {
        LastPage = lastPage;
        IsCrossing = true;
    }

    /// <summary>The page of the last byte.</summary>
    public HostPage LastPage { get; }
}
