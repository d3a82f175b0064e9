using System.Buffers.Binary;
using System.Net;

namespace Hyperlight.Programs.Network;

/// <summary>The host function of one run for connections. A program may have taken over the kernel: each argument is checked.</summary>
/// <param name="network">What is allowed; <see langword="null"/>: nothing.</param>
internal sealed class HostNetwork(ProgramNetwork? network) : IAsyncDisposable
{
    private const int KnownSize = 8;
    private const int Receiving = 1;
    private const int Sending = 2;

    /// <summary>Each connection of a run leaves a port in use for a while.</summary>
    private const int MostConnections = 10_000;

    // A function of a call that was ended goes on for a moment, while the run is disposed.
    private readonly Lock _lock = new();
    private readonly NameLookups _lookups = new();
    private readonly Dictionary<int, HostConnection> _connections = [];

    /// <summary>Those that the program has closed, until their sockets are.</summary>
    private readonly List<HostConnection> _closing = [];

    private int _nextHandle;
    private bool _isDisposed;
    private long _bytes;

    /// <summary>Is told that the events of a connection have changed.</summary>
    public ChangeSignal Changes { get; } = new();

    /// <summary>How long a run that has ended waits until what its program has sent is on its way.</summary>
    public TimeSpan CloseTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What the kernel calls the function for.</summary>
    public enum Step
    {
        /// <summary>Whether anything is allowed: one byte.</summary>
        Query,

        /// <summary>Begins to connect to a <c>sockaddr</c>: a handle.</summary>
        Connect,

        /// <summary>The events of one connection.</summary>
        Events,

        /// <summary>Bytes that were received.</summary>
        Receive,

        /// <summary>The same, and they can be received again.</summary>
        Peek,

        /// <summary>How many bytes were received.</summary>
        Available,

        /// <summary>Bytes to send.</summary>
        Send,

        /// <summary>Ends one direction, or both.</summary>
        Shut,

        /// <summary>Why the connection has failed, once.</summary>
        Error,

        /// <summary>Closes the connection.</summary>
        Close,
    }

    /// <summary>Answers the kernel.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(int step, int handle, long value, byte[] bytes, CancellationToken cancellationToken)
    {
        switch ((Step)step)
        {
            case Step.Query:
                return new[] { network is { Rules.IsEmpty: false } ? (byte)1 : (byte)0 };
            case Step.Connect:
                return new SocketAnswer(Connect(bytes), SocketEvents.None).ToArray();
            case Step.Close when TakeForClosing(handle) is { } closed:
                await CloseAsync(closed, cancellationToken).ConfigureAwait(false);
                return new SocketAnswer(0, SocketEvents.None).ToArray();
            default:
                return Find(handle) is { } connection
                    ? Answer(connection, (Step)step, value, bytes).ToArray()
                    : new SocketAnswer(NetworkError.InvalidArgument, SocketEvents.None).ToArray();
        }
    }

    /// <summary>Whether a program can have so many connections.</summary>
    public bool CanHave(byte[] known) => known.Length / KnownSize <= (network?.MaximumConnections ?? 0);

    /// <summary>The events of connections.</summary>
    /// <param name="known">Each one's handle, and the events that are known.</param>
    /// <param name="differ">Whether the events of one are others.</param>
    public byte[] EventsOf(byte[] known, out bool differ)
    {
        int count = known.Length / KnownSize;
        var events = new byte[count * sizeof(int)];
        differ = false;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = known.AsSpan(i * KnownSize, KnownSize);
            int handle = BinaryPrimitives.ReadInt32LittleEndian(entry);
            int now = (int)(Find(handle)?.Events ?? SocketEvents.None);
            differ |= now != BinaryPrimitives.ReadInt32LittleEndian(entry[sizeof(int)..]);
            BinaryPrimitives.WriteInt32LittleEndian(events.AsSpan(i * sizeof(int)), now);
        }

        return events;
    }

    /// <summary>
    /// Closes the connections of a program that has ended, as Linux does: what it has sent still arrives. What is not on its way after some
    /// seconds is lost.
    /// </summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        HostConnection[] connections;
        lock (_lock)
        {
            _closing.AddRange(_connections.Values);
            _connections.Clear();
            connections = [.. _closing];
        }

        foreach (HostConnection connection in connections)
        {
            connection.BeginClose();
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(CloseTime);
        await Task.WhenAll(connections.Select(static connection => connection.Completion)).WaitAsync(end.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Resets the connections that are left.</summary>
    public async ValueTask DisposeAsync()
    {
        HostConnection[] connections;
        lock (_lock)
        {
            _isDisposed = true;
            connections = [.. _closing, .. _connections.Values];
            _closing.Clear();
            _connections.Clear();
        }

        foreach (HostConnection connection in connections)
        {
            connection.Reset();
        }

        await Task.WhenAll(connections.Select(static connection => connection.Completion)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private HostConnection? Find(int handle)
    {
        lock (_lock)
        {
            return _connections.GetValueOrDefault(handle);
        }
    }

    /// <summary>The connection counts until it is closed.</summary>
    private HostConnection? TakeForClosing(int handle)
    {
        lock (_lock)
        {
            if (!_connections.Remove(handle, out HostConnection? connection))
            {
                return null;
            }

            _closing.Add(connection);
            return connection;
        }
    }

    private static SocketAnswer Answer(HostConnection connection, Step step, long value, byte[] bytes) => step switch
    {
        Step.Events => new SocketAnswer(0, connection.Events),
        Step.Receive or Step.Peek when value is > 0 and <= KernelMachine.MostBytes => connection.Receive((int)value, keeps: step == Step.Peek),
        Step.Available => connection.Available(),
        Step.Send => connection.Send(bytes),
        Step.Shut when value is >= Receiving and <= (Receiving | Sending) => connection.Shut((value & Receiving) != 0, (value & Sending) != 0),
        Step.Error => connection.TakeError(),
        _ => new SocketAnswer(NetworkError.InvalidArgument, connection.Events),
    };

    /// <summary>The endpoint of a <c>sockaddr</c>.</summary>
    private static IPEndPoint? EndpointOf(ReadOnlySpan<byte> address) => address.Length switch
    {
        16 when address[0] == 2 && address[1] == 0 => new IPEndPoint(new IPAddress(address[4..8]), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
        28 when address[0] == 10 && address[1] == 0 =>
            new IPEndPoint(NetworkRules.Plain(new IPAddress(address[8..24])), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
        _ => null,
    };

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

        lock (_lock)
        {
            ForgetClosed();
            if (_isDisposed || _connections.Count + _closing.Count >= network.MaximumConnections || _nextHandle == MostConnections)
            {
                return NetworkError.AddressNotAvailable;
            }

            var connector = new Connector(network, _lookups, endpoint, name);
            _connections.Add(_nextHandle, new HostConnection(connector.ConnectAsync, Changes.Note, Count));
            return _nextHandle++;
        }
    }

    /// <summary>Does not wait for what is being sent: the connection counts until that has ended.</summary>
    private async Task CloseAsync(HostConnection connection, CancellationToken cancellationToken)
    {
        if (connection.BeginClose())
        {
            await connection.Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        lock (_lock)
        {
            ForgetClosed();
        }
    }

    /// <summary>With the lock.</summary>
    private void ForgetClosed() => _closing.RemoveAll(static connection => connection.Completion.IsCompleted);

    private bool Count(int bytes) => Interlocked.Add(ref _bytes, bytes) <= network!.MaximumBytes;
}
