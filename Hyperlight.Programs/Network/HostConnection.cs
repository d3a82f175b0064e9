using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>
/// A connection of a program. What was received, and one part that is being sent, are kept here, so that the program is answered without
/// waiting. Both have a limited size: more is received when the program has taken some, and taken from the program when the part is sent.
/// </summary>
#pragma warning disable CA1001 // Its fields have no timers, links or wait handles to release, and are used until the last function has ended.
internal sealed class HostConnection
#pragma warning restore CA1001
{
    private const int SystemBufferSize = 0x4_0000;
    private const int OneArrival = 0x2_0000;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationTokenSource _resetting = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _spaceFreed = new(0);
    private readonly ReceivedBytes _received = new();
    private readonly byte[] _toSend = new byte[KernelMachine.MostBytes];
    private readonly Action _changed;
    private readonly Func<int, bool> _count;
    private Socket? _socket;
    private Task _sending = Task.CompletedTask;
    private bool _isSending;
    private bool _isAtEnd;
    private bool _isShutForReceiving;
    private bool _isShutForSending;
    private bool _waitsForSpace;
    private bool _hasFailed;
    private bool _hasFailedToSend;
    private int _error;
    private int _arrivals;

    /// <param name="connect">Makes the connection.</param>
    /// <param name="changed">The events may have changed. Called by any thread.</param>
    /// <param name="count">Whether as many bytes more may be transferred. Called by any thread.</param>
    public HostConnection(Func<CancellationToken, Task<Socket>> connect, Action changed, Func<int, bool> count)
    {
        _changed = changed;
        _count = count;
        Completion = Task.Run(() => RunAsync(connect));
    }

    /// <summary>Completes when there is no socket any more: the connection was closed, or has failed.</summary>
    public Task Completion { get; }

    /// <summary>What holds.</summary>
    public SocketEvents Events
    {
        get
        {
            lock (_lock)
            {
                return CurrentEvents();
            }
        }
    }

    /// <summary>The error that the program has not been told yet.</summary>
    public SocketAnswer TakeError()
    {
        lock (_lock)
        {
            return Answer(TakeErrorOr(0));
        }
    }

    /// <summary>How many bytes can be received.</summary>
    public SocketAnswer Available()
    {
        lock (_lock)
        {
            return Answer(_received.Count);
        }
    }

    /// <summary>What was received, nothing at the end, or an error.</summary>
    /// <param name="size">The most bytes.</param>
    /// <param name="keeps">Whether they can be received again.</param>
    public SocketAnswer Receive(int size, bool keeps)
    {
        lock (_lock)
        {
            if (_received.Count == 0)
            {
                // The end comes before an error of sending, as it was there before.
                return _isAtEnd && !_hasFailed ? Answer(0) : Answer(TakeErrorOr(_hasFailed || _isAtEnd || _isShutForReceiving ? 0 : NetworkError.Again));
            }

            byte[] bytes = keeps ? _received.Peek(size) : _received.Take(size);
            if (_waitsForSpace && !keeps)
            {
                _waitsForSpace = false;
                _spaceFreed.Release();
            }

            return new SocketAnswer(bytes.Length, CurrentEvents(), bytes);
        }
    }

    /// <summary>How many bytes were taken, at least one, or an error.</summary>
    public SocketAnswer Send(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_hasFailed || _isShutForSending)
            {
                return Answer(TakeErrorOr(NetworkError.BrokenPipe));
            }

            if (_socket is null || _isSending)
            {
                return Answer(NetworkError.Again);
            }

            if (bytes.IsEmpty)
            {
                return Answer(NetworkError.InvalidArgument);
            }

            int count = Math.Min(bytes.Length, _toSend.Length);
            bytes[..count].CopyTo(_toSend);
            _isSending = true;

            // It has often ended, or failed, when this returns.
            _sending = SendAsync(_socket, count);
            return Answer(_hasFailed || _hasFailedToSend ? TakeErrorOr(NetworkError.BrokenPipe) : count);
        }
    }

    /// <summary>Ends one direction or both.</summary>
    public SocketAnswer Shut(bool receiving, bool sending)
    {
        lock (_lock)
        {
            if (_socket is null || _hasFailed)
            {
                return Answer(NetworkError.InvalidArgument);
            }

            _isShutForReceiving |= receiving;
            if (sending && !_isShutForSending)
            {
                _isShutForSending = true;
                EndSending(_socket);
            }

            return Answer(0);
        }
    }

    /// <summary>Begins to close the connection. What is being sent is sent before.</summary>
    /// <returns>Whether nothing is being sent, so that it is closed soon.</returns>
    public bool BeginClose()
    {
        bool isConnecting;
        bool isSending;
        lock (_lock)
        {
            isConnecting = _socket is null;
            isSending = _isSending;
        }

        _closing.Cancel();
        if (isConnecting)
        {
            _resetting.Cancel();
        }

        _closed.TrySetResult();
        return !isSending;
    }

    /// <summary>Closes the connection at once: what was not sent is lost, and the other side finds a reset connection.</summary>
    public void Reset()
    {
        _resetting.Cancel();
        _closing.Cancel();
        _closed.TrySetResult();
    }

    private SocketEvents CurrentEvents()
    {
        if (_hasFailed)
        {
            return SocketEvents.Input | SocketEvents.Output | SocketEvents.InputEnd | SocketEvents.HangUp | (_error != 0 ? SocketEvents.Error : 0);
        }

        if (_socket is null)
        {
            return SocketEvents.None;
        }

        bool ends = _isAtEnd || _isShutForReceiving;
        return SocketEvents.Connected
            | (_received.Count != 0 || ends ? SocketEvents.Input : 0)
            | (ends ? SocketEvents.InputEnd : 0)
            | (!_isSending || _isShutForSending ? SocketEvents.Output : 0)
            | (ends && _isShutForSending ? SocketEvents.HangUp : 0)
            | (_hasFailedToSend && _error != 0 ? SocketEvents.Error : 0)
            | (SocketEvents)_arrivals;
    }

    private SocketAnswer Answer(int result) => new(result, CurrentEvents());

    private int TakeErrorOr(int result)
    {
        (int error, _error) = (_error, 0);
        return error != 0 ? error : result;
    }

    private async Task RunAsync(Func<CancellationToken, Task<Socket>> connect)
    {
        try
        {
            using Socket socket = await connect(_resetting.Token).ConfigureAwait(false);
            socket.NoDelay = true;
            socket.ReceiveBufferSize = SystemBufferSize;
            socket.SendBufferSize = SystemBufferSize;
            lock (_lock)
            {
                _socket = socket;
            }

            _changed();
            await ReceiveAsync(socket).ConfigureAwait(false);
            if (!_hasFailed)
            {
                await _closed.Task.ConfigureAwait(false);
            }

            Task sending;
            lock (_lock)
            {
                sending = _sending;
            }

            await sending.ConfigureAwait(false);
            if (_resetting.IsCancellationRequested)
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
        }
        catch (SocketException exception)
        {
            Fail(NetworkError.Of(exception.SocketErrorCode));
        }
        catch (OperationCanceledException) when (_resetting.IsCancellationRequested)
        {
            // The program, or its run, has ended while it was connecting.
        }
#pragma warning disable CA1031 // Whatever went wrong, the program is told of it: it would wait for ever otherwise.
        catch (Exception)
#pragma warning restore CA1031
        {
            Fail(NetworkError.HostUnreachable);
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        try
        {
            while (!_isAtEnd && !_hasFailed)
            {
                Memory<byte> free = await SpaceAsync().ConfigureAwait(false);
                int count = await socket.ReceiveAsync(free, SocketFlags.None, _closing.Token).ConfigureAwait(false);
                if (!_count(count))
                {
                    EndByLimit();
                    return;
                }

                lock (_lock)
                {
                    _received.Add(count);
                    _isAtEnd = count == 0;
                    _arrivals = unchecked(_arrivals + OneArrival) & (int)SocketEvents.Arrivals;
                }

                _changed();
            }
        }
        catch (SocketException exception)
        {
            Fail(NetworkError.Of(exception.SocketErrorCode));
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The program receives no more.
        }
    }

    /// <summary>Waits until there is space for bytes that are received.</summary>
    private async ValueTask<Memory<byte>> SpaceAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (!_received.Free.IsEmpty)
                {
                    return _received.Free;
                }

                _waitsForSpace = true;
            }

            await _spaceFreed.WaitAsync(_closing.Token).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(Socket socket, int count)
    {
        try
        {
            if (!_count(count))
            {
                EndByLimit();
                count = 0;
            }

            for (int sent = 0; sent < count;)
            {
                sent += await socket.SendAsync(_toSend.AsMemory(sent, count - sent), SocketFlags.None, _resetting.Token).ConfigureAwait(false);
            }
        }
        catch (SocketException exception)
        {
            FailSending(NetworkError.Of(exception.SocketErrorCode));
        }
        catch (OperationCanceledException) when (_resetting.IsCancellationRequested)
        {
            // The run has ended, or has reached its limit.
        }

        lock (_lock)
        {
            _isSending = false;
            if (_isShutForSending)
            {
                EndSending(socket);
            }
        }

        _changed();
    }

    /// <summary>Tells the other side that nothing follows, unless something is being sent: that is done after it.</summary>
    private void EndSending(Socket socket)
    {
        if (_isSending || _hasFailed || _hasFailedToSend || _closed.Task.IsCompleted)
        {
            return;
        }

        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException exception)
        {
            Fail(NetworkError.Of(exception.SocketErrorCode));
            _closed.TrySetResult();
        }
    }

    /// <summary>What the other side has sent before can still be received.</summary>
    private void FailSending(int error)
    {
        lock (_lock)
        {
            _error = _hasFailed ? _error : error;
            _isShutForSending = true;
            _hasFailedToSend = true;
        }
    }

    private void EndByLimit()
    {
        Fail(NetworkError.ConnectionReset);
        _resetting.Cancel();
        _closing.Cancel();

        // Nothing may be received any more, so that nothing else ends the connection.
        _closed.TrySetResult();
    }

    private void Fail(int error)
    {
        lock (_lock)
        {
            _error = _hasFailed ? _error : error;
            _hasFailed = true;
        }

        _changed();
    }
}
