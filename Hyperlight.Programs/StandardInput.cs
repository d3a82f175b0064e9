using Hyperlight.Programs.Network;

namespace Hyperlight.Programs;

/// <summary>
/// The standard input of one run: bytes, then those of a stream. The stream is read when the program asks for input, one read at a time, and
/// the read goes on while the program does something else.
/// </summary>
/// <param name="bytes">What is read first.</param>
/// <param name="stream">What follows; <see langword="null"/> for nothing.</param>
/// <param name="changes">Is told that a read has ended.</param>
/// <param name="failure">Is told that the stream has failed, when the program asks for its bytes.</param>
internal sealed class StandardInput(ReadOnlyMemory<byte> bytes, Stream? stream, ChangeSignal changes, StreamFailure failure) : IAsyncDisposable
{
    // A function of a call that was ended goes on for a moment, while the run is disposed.
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private ReadOnlyMemory<byte> _rest = bytes;
    private bool _hasEnded = stream is null;
    private byte[] _buffer = [];
    private byte[] _answer = [];
    private Task _reading = Task.CompletedTask;
    private Exception? _exception;
    private bool _isDisposed;

    /// <summary>How long a run that has ended waits for a stream whose read does not end when it is cancelled.</summary>
    public TimeSpan CloseTime { get; init; } = TimeSpan.FromSeconds(1);

    private SocketEvents Events => (_rest.IsEmpty ? SocketEvents.None : SocketEvents.Input) | (_hasEnded ? SocketEvents.HangUp : SocketEvents.None);

    /// <summary>What holds now, as <c>poll</c> says it of a pipe. If nothing is known, the stream is read.</summary>
    public SocketEvents Look() => Look(KernelMachine.MostBytes, out _);

    /// <summary>Answers the kernel: the events after the call, one byte, then the bytes.</summary>
    /// <param name="size">The most bytes.</param>
    /// <param name="waits">Whether to wait until there are bytes, or none will come.</param>
    /// <param name="cancellationToken">Ends the wait, not the read of the stream.</param>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(int size, bool waits, CancellationToken cancellationToken)
    {
        size = Math.Clamp(size, 1, KernelMachine.MostBytes);
        while (Look(size, out Task reading) == SocketEvents.None && waits)
        {
            await reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return Take(size);
    }

    /// <summary>
    /// Ends the read that is in progress: later bytes of the stream are not this run's. What the stream does when it is cancelled changes nothing of
    /// the run: an exception is not thrown, and it is not waited for longer than <see cref="CloseTime"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task reading;
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _rest = default;
            _hasEnded = true;
            reading = _reading;
        }

        await EndAsync(reading).WaitAsync(CloseTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    /// <summary>Does not fail: an exception of the stream is nobody's, also when it comes after <see cref="CloseTime"/>.</summary>
    private async Task EndAsync(Task reading) =>
        await Task.WhenAll(_end.CancelAsync(), reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private SocketEvents Look(int size, out Task reading)
    {
        Exception? exception;
        SocketEvents events;
        lock (_lock)
        {
            if (Events == SocketEvents.None && _reading.IsCompleted)
            {
                _reading = ReadStreamAsync(size);
            }

            reading = _reading;
            events = Events;
            exception = _exception;
            _exception = null;
        }

        if (exception is not null)
        {
            failure.Note("its standard input cannot be read", exception);
        }

        return events;
    }

    private ReadOnlyMemory<byte> Take(int size)
    {
        lock (_lock)
        {
            int count = Math.Min(size, _rest.Length);
            if (_answer.Length <= count)
            {
                _answer = new byte[1 + count];
            }

            _rest[..count].CopyTo(_answer.AsMemory(1));
            _rest = _rest[count..];
            _answer[0] = (byte)Events;
            return _answer.AsMemory(0, 1 + count);
        }
    }

    /// <summary>Does not fail: an exception is for the program that asks for the bytes.</summary>
    private async Task ReadStreamAsync(int size)
    {
        int count = 0;
        Exception? exception = null;
        try
        {
            _buffer = _buffer.Length < size ? new byte[size] : _buffer;
            int read = await stream!.ReadAsync(_buffer.AsMemory(0, size), _end.Token).ConfigureAwait(false);
            count = (uint)read <= (uint)size ? read : throw new IOException($"The stream says that it has read {read} bytes, of at most {size}.");
        }
        catch (Exception thrown)
        {
            exception = thrown;
        }

        lock (_lock)
        {
            if (!_hasEnded)
            {
                _rest = _buffer.AsMemory(0, count);
                _hasEnded = count == 0;
                _exception = exception;
            }
        }

        changes.Note();
    }
}
