using System.Diagnostics.CodeAnalysis;
using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Compiles regions to intermediate code, and lets the runtime compile that.</summary>
[RequiresDynamicCode("Compiles code while the program runs.")]
internal sealed class IlCompiler : IRegionCompiler
{
    /// <summary>A method of its own, and the key by which machines share it.</summary>
    private const int FixedSize = 4096;

    /// <summary>An instruction in intermediate code and in the host's, and what the interpreter executes of it.</summary>
    private const int SizePerInstruction = 256;

    /// <summary>The runtime needs milliseconds for a region.</summary>
    public int HotThreshold => 400;

    public bool UsesPages => false;

    public RegionCode Compile(List<RegionNode> nodes, bool isUser, out bool isTooLarge)
    {
        isTooLarge = false;
        return new Code(RegionCompiler.Compile(nodes), FixedSize + (nodes.Sum(static node => node.Length) * SizePerInstruction));
    }

    public void Clear()
    {
        // The runtime collects methods that nothing refers to.
    }

    private sealed class Code(Func<CodeSupport, int, RegionExit> method, int size) : RegionCode(size)
    {
        public override RegionExit Run(RegionRunner runner, Region region, int entry) => method(runner.Support, entry);
    }
}
