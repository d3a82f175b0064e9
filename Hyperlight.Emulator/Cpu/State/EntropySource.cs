using System.Security.Cryptography;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What RDRAND and RDSEED give: the host's random numbers, or for a seed always the same ones.</summary>
internal struct EntropySource(ulong? seed)
{
    private readonly ulong? _seed = seed;
    private ulong _state = seed.GetValueOrDefault();

    /// <summary>Begins again, with other numbers than at first: whatever was drawn before, those that follow are always the same.</summary>
    public void Restart()
    {
        if (_seed is { } start)
        {
            _state = start;
            _state = Next();
        }
    }

    public ulong Next()
    {
        if (_seed is null)
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            RandomNumberGenerator.Fill(bytes);
            return BitConverter.ToUInt64(bytes);
        }

        // SplitMix64 of Steele, Lea and Flood, 2014.
        ulong z = _state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
