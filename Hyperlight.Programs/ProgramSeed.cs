using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Hyperlight.Programs;

/// <summary>What a program's random numbers and its clocks start with.</summary>
internal static class ProgramSeed
{
    /// <summary>The wall clock at the start of a run with a seed, if the application does not set it.</summary>
    public static readonly DateTimeOffset DefaultStartTime = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The kernel's virtual clock has room for a hundred years after it.</summary>
    public static readonly DateTimeOffset LatestStartTime = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const long ClocksOfHost = -1;
    private const int NanosecondsPerTick = 100;

    /// <exception cref="ArgumentException">The template's settings do not fit each other.</exception>
    public static void Check(ProgramTemplate template)
    {
        if (template is { StartTime: not null, Seed: null })
        {
            throw new ArgumentException(
                $"{nameof(ProgramTemplate.StartTime)} is set, but the program's clocks are those of the host. Set {nameof(ProgramTemplate.Seed)} as well, or remove it.");
        }
    }

    /// <summary>Fills in what the kernel derives all random numbers from.</summary>
    /// <param name="bytes">Where to: 32 bytes.</param>
    /// <param name="template">What runs.</param>
    /// <param name="input">What the program gets.</param>
    /// <param name="isWarmUp">Whether it runs to its checkpoint. The random numbers after it are not those before it.</param>
    /// <exception cref="ArgumentException">The input has a seed, and the template has none.</exception>
    public static void Fill(Span<byte> bytes, ProgramTemplate template, ProgramInput input, bool isWarmUp)
    {
        if (template.Seed is not { } seed)
        {
            if (input.Seed is not null)
            {
                throw new ArgumentException(
                    $"The input has a seed, but the program's clocks are those of the host. Set {nameof(ProgramTemplate)}.{nameof(ProgramTemplate.Seed)} as well, or remove it.", nameof(input));
            }

            RandomNumberGenerator.Fill(bytes);
            return;
        }

        Span<byte> source = stackalloc byte[sizeof(ulong) + 1];
        BinaryPrimitives.WriteUInt64LittleEndian(source, input.Seed ?? seed);
        source[^1] = isWarmUp ? (byte)1 : (byte)0;
        SHA256.HashData(source, bytes);
    }

    /// <summary>The kernel's wall clock at the start of a run in nanoseconds since 1970; negative for the clocks of the host.</summary>
    public static long WallClock(ProgramTemplate template) => template.Seed is null
        ? ClocksOfHost
        : (template.StartTime ?? DefaultStartTime).Subtract(DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
}
