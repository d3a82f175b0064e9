using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Compiled code of all machines of a driver. It works on whichever processor it is given, so machines that run the same
/// guest share it: what one compiled, the next has from its start. Safe for all threads.
/// </summary>
/// <param name="mostBytes">Guests that make more code than this make the cache start over.</param>
internal sealed class CodeCache(long mostBytes)
{
    private readonly ConcurrentDictionary<RegionKey, RegionCode> _code = [];
    private long _size;

    /// <summary>The size of the code that it keeps.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>Finds the code of a region, or compiles it.</summary>
    [RequiresDynamicCode("Compiles code while the program runs.")]
    public RegionCode GetOrCompile(List<RegionNode> nodes)
    {
        var key = new RegionKey(nodes);
        if (_code.TryGetValue(key, out RegionCode? code))
        {
            return code;
        }

        int size = Region.SizeOf(nodes.Select(static node => node.Block));
        if (Interlocked.Add(ref _size, size) > mostBytes)
        {
            _code.Clear();
            Volatile.Write(ref _size, size);
        }

        return _code.GetOrAdd(key, RegionCompiler.Compile(nodes));
    }
}
