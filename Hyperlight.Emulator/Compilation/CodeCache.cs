using System.Collections.Concurrent;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Compiled code of all machines of a driver. It works on whichever processor it is given, so machines that run the same
/// guest share it: what one compiled, the next has from its start. Safe for all threads.
/// </summary>
/// <param name="mostBytes">Guests that make more code than this make the cache start over.</param>
/// <param name="compiler">What compiles it; <see langword="null"/> if everything is interpreted.</param>
internal sealed class CodeCache(long mostBytes, IRegionCompiler? compiler)
{
    private readonly ConcurrentDictionary<RegionKey, RegionCode> _code = [];
    private long _size;
    private bool _hasCompiled;

    /// <summary>What compiles it; <see langword="null"/> if everything is interpreted.</summary>
    public IRegionCompiler? Compiler => compiler;

    /// <summary>Whether anything was compiled yet.</summary>
    public bool HasCompiled => Volatile.Read(ref _hasCompiled);

    /// <summary>The machines that have its code.</summary>
    public CodeHolders Holders { get; } = new(TimeProvider.System);

    /// <summary>The size of the code that it keeps.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>Finds the code of a region, or compiles it.</summary>
    /// <param name="nodes">The blocks of the region.</param>
    /// <param name="size">About how many bytes their code takes.</param>
    /// <param name="isUser">Whether the code's accesses are those of a user.</param>
    /// <param name="holder">The machine that it is for.</param>
    /// <returns>The code, or <see langword="null"/> if there is no memory for it.</returns>
    public RegionCode? GetOrCompile(List<RegionNode> nodes, int size, bool isUser, ICodeHolder holder)
    {
        var key = new RegionKey(nodes, isUser);
        if (_code.TryGetValue(key, out RegionCode? code))
        {
            return code;
        }

        if (Interlocked.Add(ref _size, size) > mostBytes)
        {
            Clear();
            Volatile.Write(ref _size, size);
        }

        if (compiler?.Compile(nodes, isUser) is { } compiled)
        {
            Volatile.Write(ref _hasCompiled, true);
            return _code.GetOrAdd(key, compiled);
        }

        // There may be memory again once this code, and that of machines that do not run, is collected.
        if (Holders.AskOthers(holder))
        {
            Clear();
            Volatile.Write(ref _size, 0);
        }

        return null;
    }

    private void Clear()
    {
        _code.Clear();
        compiler?.Clear();
    }
}
