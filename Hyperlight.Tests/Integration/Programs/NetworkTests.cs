using System.Net;
using System.Net.Sockets;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Connections of programs to what the application allows.</summary>
internal sealed class NetworkTests(TestTarget target) : ProgramTest(target)
{
    private const string Script =
        """
        import socket, sys
        port = int(sys.argv[1])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"x" * 300000)
            connection.shutdown(socket.SHUT_WR)
            total = 0
            while part := connection.recv(65536):
                total += len(part)
        print(total)
        try:
            socket.create_connection(("127.0.0.1", port + 1))
        except PermissionError:
            print("refused")
        """;

    [Test]
    public async Task Python_exchanges_bytes_with_a_server_that_is_allowed()
    {
        RequireFastExecution();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Task server = EchoAsync(listener);
        ProgramRunner runner = Create(
            InstalledProgram.Image("/usr/bin/python3", ImageOptions, "/usr/lib/python3.11"), ["/usr/bin/python3", "-I", "-S", "-c", Script, $"{port}"]);

        ProgramResult result = await runner.RunAsync(new ProgramInput { Network = new ProgramNetwork { AllowedHosts = [$"127.0.0.1:{port}"] } });
        await server;

        Assert.That((result.StandardOutput, result.StandardError), Is.EqualTo(("300000\nrefused\n", "")));
    }

    private static async Task EchoAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        await using NetworkStream stream = client.GetStream();
        await stream.CopyToAsync(stream);
        client.Client.Shutdown(SocketShutdown.Send);
    }
}
