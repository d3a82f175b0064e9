using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>
/// A connection of a program. Two loops move its bytes between the socket and one buffer for each direction, so that the host functions
/// take and give what is there without waiting.
/// </summary>
internal sealed class HostConnection : IDisposable
{
    public const int InProgress = -115;
    private const int Again = -11;
    private const int BrokenPipe = -32;
    private const int Input = 0x01;
    private const int Output = 0x04;
    private const int Failed = 0x08;
    private const int HungUp = 0x10;
    private const int InputEnds = 0x2000;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Action _changed;
    private readonly Func<int, bool> _count;
    private readonly byte[] _received = new byte[KernelSandbox.MostBytes];
    private readonly byte[] _toSend = new byte[KernelSandbox.MostBytes];
    private readonly SemaphoreSlim _taken = new(0);
    private readonly SemaphoreSlim _given = new(0);
    private int _position;
    private int _receivedCount;
    private int _toSendCount;
    private bool _isConnected;
    private bool _isAtEnd;
    private bool _isShutForReading;
    private bool _isShutForSending;
    private int _error;
    private int _failure;

    /// <param name="connect">Makes the connection.</param>
    /// <param name="changed">The events may have changed.</param>
    /// <param name="count">Whether as many bytes more may be transferred.</param>
    public HostConnection(Func<CancellationToken, Task<Socket>> connect, Action changed, Func<int, bool> count)
    {
        _changed = changed;
        _count = count;
        Completion = Task.Run(() => RunAsync(connect));
    }

    /// <summary>Completes when the socket is closed.</summary>
    public Task Completion { get; }

    /// <summary>The events of <c>poll</c> that hold.</summary>
    public int Events
    {
        get
        {
            lock (_lock)
            {
                if (_failure != 0)
                {
                    return Input | Output | InputEnds | HungUp | (_error != 0 ? Failed : 0);
                }

                bool ends = _isAtEnd || _isShutForReading;
                return !_isConnected ? 0
                    : (_receivedCount != 0 || ends ? Input : 0) | (ends ? InputEnds : 0) | (_toSendCount == 0 || _isShutForSending ? Output : 0)
                        | (ends && _isShutForSending ? HungUp : 0);
            }
        }
    }

    /// <summary>The error that the program has not been told yet.</summary>
    public int TakeError()
    {
        lock (_lock)
        {
            (int error, _error) = (_error, 0);
            return !_isConnected && _failure == 0 ? InProgress : error;
        }
    }

    /// <summary>What was received, or an error.</summary>
    public (int Result, ReadOnlyMemory<byte> Bytes) Receive(int size)
    {
        lock (_lock)
        {
            if (_receivedCount == 0 || _isShutForReading)
            {
                (int error, _error) = (_error, 0);
                return (error != 0 ? error : _failure != 0 || _isAtEnd || _isShutForReading ? 0 : Again, default);
            }

            int count = Math.Min(size, _receivedCount);
            byte[] bytes = _received.AsSpan(_position, count).ToArray();
            _position += count;
            _receivedCount -= count;
            if (_receivedCount == 0)
            {
                _taken.Release();
            }

            return (count, bytes);
        }
    }

    /// <summary>How many bytes were taken, or an error.</summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_failure != 0 || _isShutForSending)
            {
                (int error, _error) = (_error, 0);
                return error != 0 ? error : BrokenPipe;
            }

            if (_toSendCount != 0 || !_isConnected)
            {
                return Again;
            }

            int count = Math.Min(bytes.Length, _toSend.Length);
            bytes[..count].CopyTo(_toSend);
            _toSendCount = count;
            _ = count == 0 ? 0 : _given.Release();
            return count;
        }
    }

    /// <summary>Ends one direction or both.</summary>
    public void Shut(bool reading, bool sending)
    {
        lock (_lock)
        {
            _isShutForReading |= reading;
            if (sending && !_isShutForSending)
            {
                _isShutForSending = true;
                _given.Release();
            }
        }
    }

    /// <summary>Ends the connection; what was not sent yet is lost.</summary>
    public void Dispose() => _end.Cancel();

    private async Task RunAsync(Func<CancellationToken, Task<Socket>> connect)
    {
        try
        {
            using Socket socket = await connect(_end.Token).ConfigureAwait(false);
            socket.NoDelay = true;
            lock (_lock)
            {
                _isConnected = true;
            }

            _changed();
            await Task.WhenAll(GuardAsync(ReceiveAsync(socket)), GuardAsync(SendAsync(socket))).ConfigureAwait(false);
        }
        catch (SocketException exception)
        {
            Fail(NetworkError.Of(exception.SocketErrorCode));
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The program, or its run, has ended.
        }
    }

    /// <summary>A loop that fails ends the other one.</summary>
    private async Task GuardAsync(Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (SocketException exception)
        {
            Fail(NetworkError.Of(exception.SocketErrorCode));
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        int count;
        do
        {
            count = await socket.ReceiveAsync(_received, _end.Token).ConfigureAwait(false);
            if (!_count(count))
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            lock (_lock)
            {
                _position = 0;
                _receivedCount = count;
                _isAtEnd = count == 0;
            }

            _changed();
            if (count != 0)
            {
                await _taken.WaitAsync(_end.Token).ConfigureAwait(false);
            }
        }
        while (count != 0);
    }

    private async Task SendAsync(Socket socket)
    {
        for (;;)
        {
            await _given.WaitAsync(_end.Token).ConfigureAwait(false);
            int count = _toSendCount;
            if (count == 0)
            {
                socket.Shutdown(SocketShutdown.Send);
                return;
            }

            if (!_count(count))
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            for (int sent = 0; sent < count;)
            {
                sent += await socket.SendAsync(_toSend.AsMemory(sent, count - sent), _end.Token).ConfigureAwait(false);
            }

            lock (_lock)
            {
                _toSendCount = 0;
            }

            _changed();
        }
    }

    private void Fail(int error)
    {
        lock (_lock)
        {
            _failure = _failure != 0 ? _failure : _error = error;
        }

        // The other loop.
        _end.Cancel();
        _changed();
    }
}
