using System.Diagnostics;

namespace Hyperlight.Programs;

/// <summary>The host functions of one run for output and clocks.</summary>
/// <param name="input">Where the output goes.</param>
/// <param name="outputLimit">The most bytes of its output.</param>
/// <param name="observer">Gets output that no stream of the input gets; <see langword="null"/> to keep it for the result.</param>
/// <param name="failure">Is told that a stream of the application has failed.</param>
internal sealed class ProgramStreams(
    ProgramInput input, int outputLimit, Func<ProgramOutput, CancellationToken, ValueTask>? observer, StreamFailure failure) : IDisposable
{
    private const int Continue = 0;
    private const int LimitReached = 1;
    private const int StandardOutput = 1;
    private const int NanosecondsPerTick = 100;

    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private int _written;

    /// <summary>Whether the program wrote more than the limit.</summary>
    public bool IsLimitReached { get; private set; }

    /// <summary>The failure of a stream of the application, the standard input too, which ended the run.</summary>
    public ProgramStreamException? Failure => failure.Exception;

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
            failure.Note($"its standard {(isError ? "error" : "output")} cannot be written", exception);
        }

        return IsLimitReached ? LimitReached : Continue;
    }

    /// <summary>Nanoseconds since 1970, or since the start of the run.</summary>
    public long Clock(bool isMonotonic) =>
        (isMonotonic ? Stopwatch.GetElapsedTime(_start).Ticks : (DateTime.UtcNow - DateTime.UnixEpoch).Ticks) * NanosecondsPerTick;

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
}
