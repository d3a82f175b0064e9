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
    /// <param name="isUser">Whether the code's accesses are those of a user.</param>
    /// <param name="holder">The machine that it is for.</param>
    /// <param name="isTooLarge">Whether there is no code because it would be too large: that does not change.</param>
    /// <returns>The code, or <see langword="null"/> if there is no memory for it or it would be too large.</returns>
    public RegionCode? GetOrCompile(List<RegionNode> nodes, bool isUser, ICodeHolder holder, out bool isTooLarge)
    {
        isTooLarge = false;
        var key = new RegionKey(nodes, isUser);
        if (_code.TryGetValue(key, out RegionCode? code))
        {
            foreach (RegionNode node in nodes)
            {
                // It was made from what another machine has noted.
                if (node.Predicts)
                {
                    node.Block.ForgetPages();
                }
            }

            return code;
        }

        if (compiler?.Compile(nodes, isUser, out isTooLarge) is { } compiled)
        {
            Volatile.Write(ref _hasCompiled, true);
            return Keep(key, compiled);
        }

        // There may be memory again once this code, and that of other machines, is collected.
        if (!isTooLarge && Holders.AskOthers(holder))
        {
            Clear();
        }

        return null;
    }

    /// <summary>Keeps code for others, unless another thread was faster: then that one's code is the result.</summary>
    private RegionCode Keep(RegionKey key, RegionCode compiled)
    {
        if (Size + compiled.Size > mostBytes)
        {
            Clear();
        }

        RegionCode kept = _code.GetOrAdd(key, compiled);
        if (ReferenceEquals(kept, compiled))
        {
            Interlocked.Add(ref _size, compiled.Size);
        }

        return kept;
    }

    private void Clear()
    {
        _code.Clear();
        Volatile.Write(ref _size, 0);
        compiler?.Clear();
    }
}
