using System.Diagnostics.CodeAnalysis;
using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Compiles regions to intermediate code, and lets the runtime compile that.</summary>
[RequiresDynamicCode("Compiles code while the program runs.")]
internal sealed class IlCompiler : IRegionCompiler
{
    /// <summary>The runtime needs milliseconds for a region.</summary>
    public int HotThreshold => 400;

    public RegionCode Compile(List<RegionNode> nodes, bool isUser) => new Code(RegionCompiler.Compile(nodes));

    public void Clear()
    {
        // The runtime collects methods that nothing refers to.
    }

    private sealed class Code(Func<Processor, int, RegionExit> method) : RegionCode
    {
        public override RegionExit Run(Processor processor, Region region, int entry) => method(processor, entry);
    }
}
