using System.Diagnostics;

namespace Hyperlight.Programs;

/// <summary>The host functions of one run: the standard streams, clocks and sleeping.</summary>
/// <param name="input">What the program reads, and where its output goes.</param>
/// <param name="outputLimit">The most bytes of its output.</param>
/// <param name="observer">Gets output that no stream of the input gets; <see langword="null"/> to keep it for the result.</param>
/// <param name="end">Ends the run, if a stream of the application fails.</param>
internal sealed class ProgramStreams(
    ProgramInput input, int outputLimit, Func<ProgramOutput, CancellationToken, ValueTask>? observer, CancellationTokenSource end) : IDisposable
{
    private const int Continue = 0;
    private const int LimitReached = 1;
    private const int StandardOutput = 1;
    private const int NanosecondsPerTick = 100;

    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private byte[]? _buffer;
    private int _position;
    private int _written;

    /// <summary>Whether the program wrote more than the limit.</summary>
    public bool IsLimitReached { get; private set; }

    /// <summary>The failure of a stream of the application, which ended the run.</summary>
    public ProgramStreamException? Failure { get; private set; }

    public byte[] Output => _output.ToArray();

    public byte[] Error => _error.ToArray();

    public async ValueTask<int> WriteAsync(int stream, byte[] bytes, CancellationToken cancellationToken)
    {
        int room = outputLimit - _written;
        IsLimitReached |= bytes.Length > room;
        ReadOnlyMemory<byte> part = bytes.AsMemory(0, Math.Min(room, bytes.Length));
        _written += part.Length;
        bool isError = stream != StandardOutput;
        try
        {
            await WriteAsync(part, isError, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail($"its standard {(isError ? "error" : "output")} cannot be written", exception);
        }

        return IsLimitReached ? LimitReached : Continue;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(int size, CancellationToken cancellationToken)
    {
        size = Math.Clamp(size, 0, KernelMachine.MostBytes);
        if (_position < input.StandardInput.Length)
        {
            ReadOnlyMemory<byte> bytes = input.StandardInput.Slice(_position, Math.Min(size, input.StandardInput.Length - _position));
            _position += bytes.Length;
            return bytes;
        }

        if (input.StandardInputStream is not { } stream || size == 0)
        {
            return default;
        }

        try
        {
            _buffer ??= new byte[KernelMachine.MostBytes];
            int count = await stream.ReadAsync(_buffer.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
            return _buffer.AsMemory(0, count);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Fail("its standard input cannot be read", exception);
            return default;
        }
    }

    /// <summary>Nanoseconds since 1970, or since the start of the run.</summary>
    public long Clock(bool isMonotonic) =>
        (isMonotonic ? Stopwatch.GetElapsedTime(_start).Ticks : (DateTime.UtcNow - DateTime.UnixEpoch).Ticks) * NanosecondsPerTick;

    public static Task Sleep(long nanoseconds, CancellationToken cancellationToken)
    {
        // Not shorter than the program asked for.
        double milliseconds = Math.Ceiling(Math.Max(nanoseconds, 0) / 1e6);
        return Task.Delay(
            milliseconds < ProgramLimits.LongestTime.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : ProgramLimits.LongestTime, cancellationToken);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, bool isError, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if ((isError ? input.StandardErrorStream : input.StandardOutputStream) is { } stream)
        {
            await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (observer is not null)
        {
            await observer(new ProgramOutput(bytes, isError), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            (isError ? _error : _output).Write(bytes.Span);
        }
    }

    private void Fail(string problem, Exception exception)
    {
        Failure ??= new ProgramStreamException(problem, exception);
        try
        {
            end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run has ended meanwhile.
        }
    }
}
