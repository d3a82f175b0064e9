using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Compiled code of all machines of a driver. It works on whichever processor it is given, so machines that run the same
/// guest share it: what one compiled, the next has from its start. Safe for all threads.
/// </summary>
internal sealed class CodeCache
{
    /// <summary>Guests that make more code than this make the cache start over.</summary>
    private const int MostRegions = 4096;

    private readonly ConcurrentDictionary<RegionKey, RegionCode> _code = [];

    /// <summary>Finds the code of a region, or compiles it.</summary>
    [RequiresDynamicCode("Compiles code while the program runs.")]
    public RegionCode GetOrCompile(List<RegionNode> nodes)
    {
        var key = new RegionKey(nodes);
        if (_code.TryGetValue(key, out RegionCode? code))
        {
            return code;
        }

        if (_code.Count >= MostRegions)
        {
            _code.Clear();
        }

        return _code.GetOrAdd(key, RegionCompiler.Compile(nodes));
    }
}
