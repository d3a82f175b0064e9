using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>The host function of one run for connections. A program may have taken over the kernel: each argument is checked.</summary>
/// <param name="network">What is allowed; <see langword="null"/>: nothing.</param>
internal sealed class HostNetwork(ProgramNetwork? network) : IAsyncDisposable
{
    private const int AnswerSize = 8;
    private const int WantedSize = 8;
    private const int NanosecondsPerTick = 100;

    // Timers count milliseconds: not shorter than the program asked for.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, HostConnection> _connections = [];
    private readonly List<Task> _closed = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextHandle;
    private long _bytes;

    /// <summary>What the kernel calls the function for.</summary>
    public enum Step
    {
        Query,
        Connect,
        Wait,
        Events,
        Receive,
        Send,
        Shut,
        Error,
        Close,
    }

    /// <summary>Answers the kernel.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(int step, int handle, long value, byte[] bytes, CancellationToken cancellationToken)
    {
        switch ((Step)step)
        {
            case Step.Query:
                return new[] { network is { Rules.IsEmpty: false } ? (byte)1 : (byte)0 };
            case Step.Wait:
                return await WaitAsync(value, bytes, cancellationToken).ConfigureAwait(false);
            case Step.Connect:
                return Answer(Connect(bytes), 0);
        }

        if (!_connections.TryGetValue(handle, out HostConnection? connection))
        {
            return Answer(NetworkError.InvalidArgument, 0);
        }

        switch ((Step)step)
        {
            case Step.Events:
                return Answer(0, connection.Events);
            case Step.Receive when value is > 0 and <= KernelSandbox.MostBytes:
                (int result, ReadOnlyMemory<byte> received) = connection.Receive((int)value);
                return Answer(result, connection.Events, received.Span);
            case Step.Send:
                int count = connection.Send(bytes);
                return Answer(count, connection.Events);
            case Step.Shut when value is >= 0 and <= 2:
                connection.Shut(reading: value != 1, sending: value != 0);
                return Answer(0, connection.Events);
            case Step.Error:
                int error = connection.TakeError();
                return Answer(error, connection.Events);
            case Step.Close:
                _connections.Remove(handle);
                connection.Dispose();
                _closed.RemoveAll(static task => task.IsCompletedSuccessfully);
                _closed.Add(connection.Completion);
                return Answer(0, 0);
            default:
                return Answer(NetworkError.InvalidArgument, connection.Events);
        }
    }

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (HostConnection connection in _connections.Values)
        {
            connection.Dispose();
            _closed.Add(connection.Completion);
        }

        await Task.WhenAll(_closed).ConfigureAwait(false);
    }

    private static byte[] Answer(int result, int events, ReadOnlySpan<byte> rest = default)
    {
        var answer = new byte[AnswerSize + rest.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, result);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(4), events);
        rest.CopyTo(answer.AsSpan(AnswerSize));
        return answer;
    }

    /// <summary>The endpoint of a <c>sockaddr</c>.</summary>
    private static IPEndPoint? EndpointOf(ReadOnlySpan<byte> address) => address.Length switch
    {
        16 when address[0] == 2 && address[1] == 0 => new IPEndPoint(new IPAddress(address[4..8]), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
        28 when address[0] == 10 && address[1] == 0 => new IPEndPoint(Plain(new IPAddress(address[8..24])), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
        _ => null,
    };

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private int Connect(byte[] address)
    {
        if (EndpointOf(address) is not { } endpoint)
        {
            return NetworkError.InvalidArgument;
        }

        if (network is null || !network.Rules.Allows(endpoint, out string? name))
        {
            return NetworkError.NoAccess;
        }

        if (_connections.Count + _closed.Count(static task => !task.IsCompleted) >= network.MaximumConnections)
        {
            return NetworkError.TooManyFiles;
        }

        var connector = new Connector(endpoint, name, network.ConnectTimeout);
        _connections.Add(_nextHandle, new HostConnection(connector.ConnectAsync, NoteChange, Count));
        return _nextHandle++;
    }

    private bool Count(int bytes) => Interlocked.Add(ref _bytes, bytes) <= network!.MaximumBytes;

    private void NoteChange()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> WaitAsync(long nanoseconds, byte[] wanted, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bool waits = nanoseconds > 0;
        timeout.CancelAfter(TimeSpan.FromTicks(Math.Clamp(nanoseconds / NanosecondsPerTick, 0, (ProgramLimits.LongestTime - Tick).Ticks)) + Tick);
        for (;;)
        {
            Task changed;
            lock (_lock)
            {
                _changed = _changed.Task.IsCompleted ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : _changed;
                changed = _changed.Task;
            }

            byte[] events = EventsOf(wanted, out bool differ);
            if (differ || !waits)
            {
                return events;
            }

            try
            {
                await changed.WaitAsync(timeout.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                waits = false;
            }
        }
    }

    private byte[] EventsOf(byte[] wanted, out bool differ)
    {
        int count = wanted.Length / WantedSize;
        var events = new byte[count * sizeof(int)];
        differ = false;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = wanted.AsSpan(i * WantedSize, WantedSize);
            int now = _connections.TryGetValue(BinaryPrimitives.ReadInt32LittleEndian(entry), out HostConnection? connection) ? connection.Events : 0;
            differ |= now != BinaryPrimitives.ReadInt32LittleEndian(entry[4..]);
            BinaryPrimitives.WriteInt32LittleEndian(events.AsSpan(i * sizeof(int)), now);
        }

        return events;
    }
}
