namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Random numbers that depend on the seed alone, on every runtime (SplitMix64).</summary>
internal sealed class RandomSource(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Goes on as a new source with this seed.</summary>
    public void Restart(ulong seed) => _state = seed;

    public ulong Next()
    {
        _state += 0x9E37_79B9_7F4A_7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to below the limit.</summary>
    public int Below(int limit) => (int)(((Next() >> 32) * (ulong)limit) >> 32);

    /// <summary>A number of a range, both ends included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    public bool OneIn(int count) => Below(count) == 0;

    public T Pick<T>(ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    public void Fill(Span<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, Next());
            bytes = bytes[8..];
        }

        foreach (ref byte b in bytes)
        {
            b = (byte)Next();
        }
    }
}
