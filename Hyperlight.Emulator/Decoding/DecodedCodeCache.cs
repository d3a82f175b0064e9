using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// Decoded code of all machines of a driver: what one machine decoded, another one with the same bytes at the same address does not
/// decode again, and has no memory of its own for. Safe for all threads.
/// </summary>
/// <param name="mostBytes">Guests that have more code than this make the cache start over.</param>
internal sealed class DecodedCodeCache(long mostBytes)
{
    /// <summary>The size of an entry beside the code.</summary>
    private const int EntrySize = 96;

    private readonly ConcurrentDictionary<Key, DecodedCode> _code = [];
    private readonly Lock _changes = new();
    private long _size;

    /// <summary>How often it has started over.</summary>
    private long _starts;

    /// <summary>The size of the code that it keeps.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>Finds the code that was decoded from the same bytes.</summary>
    /// <param name="rip">The linear address of the first instruction.</param>
    /// <param name="bytes">The bytes at that address, to the end of the page.</param>
    /// <param name="hasSeed">Whether instructions that read the clock begin a block.</param>
    public DecodedCode? Find(ulong rip, ReadOnlySpan<byte> bytes, bool hasSeed) =>
        _code.TryGetValue(Key.Of(rip, bytes, hasSeed), out DecodedCode? code) && bytes.StartsWith(code.Bytes) ? code : null;

    /// <summary>Keeps code for others. It replaces code that begins with the same bytes.</summary>
    /// <param name="code">The code.</param>
    /// <param name="bytes">The bytes that <see cref="Find"/> will be given.</param>
    /// <param name="hasSeed">Whether instructions that read the clock begin a block.</param>
    /// <param name="share">
    /// What the machine has added since the cache started over: a quarter of its size at most, so that no machine alone makes it start over.
    /// </param>
    public void Add(DecodedCode code, ReadOnlySpan<byte> bytes, bool hasSeed, ref DecodedCodeShare share)
    {
        var key = Key.Of(code.Rip, bytes, hasSeed);
        lock (_changes)
        {
            if (share.Starts != _starts)
            {
                share = new DecodedCodeShare(_starts, 0);
            }

            int added = SizeOf(code);
            if (share.Size + added > mostBytes / 4)
            {
                return;
            }

            long size = _size + added - (_code.TryGetValue(key, out DecodedCode? replaced) ? SizeOf(replaced) : 0);
            if (size > mostBytes)
            {
                _starts++;
                _code.Clear();
                size = added;
                share = new DecodedCodeShare(_starts, 0);
            }

            share = share with { Size = share.Size + added };
            _code[key] = code;
            Volatile.Write(ref _size, size);
        }
    }

    private static int SizeOf(DecodedCode code) => code.MemorySize + EntrySize;

    /// <summary>
    /// Where code is looked for: its address, and the bytes that it begins with. The hash is a random function, as guests choose both.
    /// </summary>
    private readonly record struct Key(ulong Rip, ulong First, ulong Second, bool HasSeed)
    {
        private const int Half = sizeof(ulong);

        public static Key Of(ulong rip, ReadOnlySpan<byte> bytes, bool hasSeed)
        {
            if (bytes.Length >= 2 * Half)
            {
                return new Key(rip, BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[Half..]), hasSeed);
            }

            // At the end of a page.
            Span<byte> padded = stackalloc byte[2 * Half];
            padded.Clear();
            bytes.CopyTo(padded);
            return Of(rip, padded, hasSeed);
        }

        /// <remarks>Each half of a number by itself: the hash of the whole number has no chance in it.</remarks>
        public override int GetHashCode() => HashCode.Combine(
            (uint)Rip, (uint)(Rip >> 32), (uint)First, (uint)(First >> 32), (uint)Second, (uint)(Second >> 32), HasSeed);
    }
}
