namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>The memory for emitted code of one driver: a bounded number of chunks. Safe for all threads.</summary>
/// <param name="mostBytes">The most memory that chunks in use may take; a few are permitted in any case.</param>
internal sealed class CodeArena(long mostBytes)
{
    private const int FewestChunks = 4;

    private readonly long _mostBytes = Math.Max(mostBytes, FewestChunks * CodeChunk.Size);
    private readonly Lock _lock = new();
    private CodeChunk? _current;
    private long _size;

    /// <summary>The memory that is mapped, once for each two addresses.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>Places code.</summary>
    /// <param name="code">No more than a chunk has room for.</param>
    /// <returns>Where it can be executed and what keeps it there, or nothing if there is no memory for it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is never room for the code, however much memory is free.</exception>
    public (CodeChunk Chunk, nint Address)? TryAdd(ReadOnlySpan<byte> code)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code.Length, CodeChunk.Size, nameof(code));
        lock (_lock)
        {
            if (_current is { } current && current.Add(code) is not 0 and var address)
            {
                return (current, address);
            }

            if (Size + CodeChunk.Size > _mostBytes || CodeChunk.TryCreate(NoteFreed, out _) is not { } chunk)
            {
                return null;
            }

            Interlocked.Add(ref _size, CodeChunk.Size);
            _current = chunk;
            return (chunk, chunk.Add(code));
        }
    }

    /// <summary>Lets go of the chunk that is being filled.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _current = null;
        }
    }

    private void NoteFreed() => Interlocked.Add(ref _size, -CodeChunk.Size);
}
