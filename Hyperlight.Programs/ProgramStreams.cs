using System.Diagnostics;

namespace Hyperlight.Programs;

/// <summary>The host functions of one run: the standard streams, clocks and sleeping.</summary>
internal sealed class ProgramStreams(ReadOnlyMemory<byte> input, int outputLimit) : IDisposable
{
    private const int Continue = 0;
    private const int LimitReached = 1;
    private const int StandardOutput = 1;
    private const int NanosecondsPerTick = 100;

    /// <summary>As long as a timer can be.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(49);

    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _position;

    /// <summary>Whether the program wrote more than the limit.</summary>
    public bool IsLimitReached { get; private set; }

    public byte[] Output => _output.ToArray();

    public byte[] Error => _error.ToArray();

    public int Write(int stream, ReadOnlySpan<byte> bytes)
    {
        var room = (int)(outputLimit - _output.Length - _error.Length);
        IsLimitReached |= bytes.Length > room;
        (stream == StandardOutput ? _output : _error).Write(IsLimitReached ? bytes[..Math.Min(room, bytes.Length)] : bytes);
        return IsLimitReached ? LimitReached : Continue;
    }

    public ReadOnlyMemory<byte> Read(int size)
    {
        int length = Math.Clamp(size, 0, Math.Min(KernelSandbox.MostBytes, input.Length - _position));
        ReadOnlyMemory<byte> bytes = input.Slice(_position, length);
        _position += length;
        return bytes;
    }

    /// <summary>Nanoseconds since 1970, or since the start of the run.</summary>
    public long Clock(bool isMonotonic) =>
        (isMonotonic ? Stopwatch.GetElapsedTime(_start).Ticks : (DateTime.UtcNow - DateTime.UnixEpoch).Ticks) * NanosecondsPerTick;

    public static Task Sleep(long nanoseconds, CancellationToken cancellationToken)
    {
        // Not shorter than the program asked for.
        double milliseconds = Math.Ceiling(Math.Max(nanoseconds, 0) / 1e6);
        return Task.Delay(
            milliseconds < LongestSleep.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : LongestSleep, cancellationToken);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }
}
