using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A server on this machine to which programs of the tests connect. It ends when it is disposed, whatever its clients do.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<Task<long>> _clients = [];
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;

    /// <param name="serve">What is done with a connection: how many bytes it has received.</param>
    /// <param name="bufferSize">How many bytes the server's TCP takes before they are received, about; 0 for as many as it likes.</param>
    public TestServer(Func<Socket, CancellationToken, Task<long>> serve, int bufferSize = 0)
    {
        if (bufferSize != 0)
        {
            _listener.Server.ReceiveBufferSize = bufferSize;
        }

        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completes when there is a client.</summary>
    public Task Connected => _connected.Task;

    public int Clients => _clients.Count;

    /// <summary>Waits until so many clients have connected. The connections are there before the server knows of them.</summary>
    public async Task HasClientsAsync(int count)
    {
        for (int i = 0; i < 6000 && Clients < count; i++)
        {
            await Task.Delay(10);
        }

        Assert.That(Clients, Is.EqualTo(count));
    }

    /// <summary>What was received from all clients, when they have ended; the exception if one of them was reset.</summary>
    public async Task<long> ReceivedAsync()
    {
        await Connected.WaitAsync(TimeSpan.FromSeconds(60));
        return (await Task.WhenAll(_clients).WaitAsync(TimeSpan.FromSeconds(60))).Sum();
    }

    /// <summary>Waits until all clients have ended, or were reset.</summary>
    public async Task EndedAsync()
    {
        Task all = Task.WhenAll(_clients);
        await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(60)));
        Assert.That(all.IsCompleted, "A connection is still open.");
    }

    /// <summary>Has a port at which nothing listens, and at which nothing else does before the socket is disposed.</summary>
    public static Socket Reserve(out int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    /// <summary>
    /// Listens at a port at which connections are neither made nor refused: there is room for those of the listener alone, which nobody accepts.
    /// </summary>
    public static async Task<Listening> SilentAsync()
    {
        var listening = new Listening();
        while (await listening.FillAsync())
        {
        }

        return listening;
    }

    /// <summary>Sends back what it receives.</summary>
    public static async Task<long> Echo(Socket socket, CancellationToken cancellationToken)
    {
        var bytes = new byte[50_000];
        long total = 0;
        int count;
        while ((count = await socket.ReceiveAsync(bytes, cancellationToken)) > 0)
        {
            total += count;
            for (int sent = 0; sent < count;)
            {
                sent += await socket.SendAsync(bytes.AsMemory(sent, count - sent), cancellationToken);
            }
        }

        socket.Shutdown(SocketShutdown.Send);
        return total;
    }

    /// <summary>Receives everything.</summary>
    public static async Task<long> Sink(Socket socket, CancellationToken cancellationToken)
    {
        var bytes = new byte[50_000];
        long total = 0;
        int count;
        while ((count = await socket.ReceiveAsync(bytes, cancellationToken)) > 0)
        {
            total += count;
        }

        return total;
    }

    /// <summary>Receives nothing until the program has gone.</summary>
    public static async Task<long> Ignore(Socket socket, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)Task.WhenAll(_clients)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, CancellationToken, Task<long>> serve)
    {
        while (true)
        {
            Socket socket = await _listener.AcceptSocketAsync(_end.Token);
            _clients.Add(ServeAsync(socket, serve));
            _connected.TrySetResult();
        }
    }

    private async Task<long> ServeAsync(Socket socket, Func<Socket, CancellationToken, Task<long>> serve)
    {
        using (socket)
        {
            return await serve(socket, _end.Token);
        }
    }

    /// <summary>A listener that accepts nothing, and clients that fill its queue.</summary>
    internal sealed class Listening : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _clients = [];

        public Listening()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        /// <summary>Adds a client. Whether it was connected, so that another one may be too.</summary>
        public async Task<bool> FillAsync()
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _clients.Add(client);
            using var end = new CancellationTokenSource();
            try
            {
                // The time begins when the attempt has: one that was not made would leave room for another connection.
                ValueTask connecting = client.ConnectAsync(_listener.LocalEndPoint!, end.Token);
                end.CancelAfter(TimeSpan.FromSeconds(3));
                await connecting;
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        public void Dispose()
        {
            _clients.ForEach(static client => client.Dispose());
            _listener.Dispose();
        }
    }
}
