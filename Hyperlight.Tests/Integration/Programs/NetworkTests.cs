using System.Diagnostics;
using System.Net.Sockets;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Connections of programs to what the application allows.</summary>
internal sealed class NetworkTests(TestTarget target) : ProgramTest(target)
{
    private const string Calls = "network-calls";
    private const string Aborts = "network-aborts";

    /// <summary>The commands that are compared with a native run.</summary>
    internal static readonly string[] SameAsOnLinux = [Calls, Aborts];

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task A_program_exchanges_bytes_with_a_server_that_is_allowed()
    {
        await using var server = new TestServer(TestServer.Echo);

        ProgramResult result = await RunAsync(Allow(server.Port), "network", $"{server.Port}");

        Assert.That(result.StandardOutput, Is.EqualTo("sent 100000\nshut down 0\nreceived 100000\nend 0\nclosed 0\n"));
        Assert.That(await server.ReceivedAsync(), Is.EqualTo(100_000));
    }

    [Test]
    public async Task Calls_of_connections_have_the_same_results_as_on_Linux()
    {
        NativeProgram.Require();
        await using var server = new TestServer(TestServer.Echo);
        using Socket reserved = TestServer.Reserve(out int closed);
        string[] arguments = [Calls, $"{server.Port}", $"{closed}"];

        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(Fixed), "", arguments);
        ProgramResult result = await RunAsync(Allow(server.Port, closed), arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That((result.StandardError, result.ExitCode), Is.EqualTo((error, exitCode)));
        Assert.That(output.Split('\n'), Has.Length.GreaterThan(120));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }

    [Test]
    public async Task Connections_are_aborted_as_on_Linux()
    {
        NativeProgram.Require();
        await using var server = new TestServer(TestServer.Echo);
        using TestServer.Listening silent = await TestServer.SilentAsync();
        string[] arguments = [Aborts, $"{server.Port}", $"{silent.Port}"];

        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(Fixed), "", arguments);
        ProgramResult result = await RunAsync(Allow(server.Port, silent.Port), arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That((result.StandardError, result.ExitCode), Is.EqualTo((error, exitCode)));
        Assert.That(output.Split('\n'), Has.Length.GreaterThan(50));
    }

    /// <summary>What looks for families that can be used makes a socket for datagrams and connects it.</summary>
    [Test]
    public async Task A_socket_for_datagrams_leads_nowhere()
    {
        await using var server = new TestServer(TestServer.Echo);

        ProgramResult result = await RunAsync(Allow(server.Port), "network-datagrams", $"{server.Port}");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            other family -97
            other protocol -93
            type 2
            peer -107
            short -22
            connect 0
            elsewhere 0
            peer 0
            name 0
            poll 4
            send -13
            nothing -13
            send to -13
            send message -13
            receive -13
            receive message -13
            read -13
            write -13
            bind -13
            disconnect 0
            peer -107
            close 0

            """));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
        Assert.That(server.Clients, Is.Zero);
    }

    [Test]
    public async Task What_was_received_before_an_error_comes_before_it()
    {
        await using var server = new TestServer(static async (socket, token) =>
        {
            await socket.SendAsync(new byte[5000], token);
            return await TestServer.Sink(socket, token);
        });

        ProgramResult result = await RunAsync(Allow(server.Port) with { MaximumBytes = 60_000 }, "network-kept", $"{server.Port}", "5000");

        Assert.That(result.StandardOutput, Is.EqualTo("a part 1\nreceived 5000\nerror -104\nend 0\nsend -32\n"));
    }

    [Test]
    public async Task A_write_after_the_end_is_a_signal()
    {
        await using var server = new TestServer(TestServer.Echo);

        ProgramResult result = await RunAsync(Allow(server.Port), "network-pipe", $"{server.Port}");

        Assert.That((result.End, result.Signal, result.StandardOutput), Is.EqualTo((ProgramEnd.Signaled, 13, "")));
    }

    [Test]
    public async Task Without_a_network_there_is_no_socket([Values] bool isEmpty)
    {
        ProgramResult result = await RunAsync(isEmpty ? new ProgramNetwork() : null, "network", "80");

        Assert.That(result.StandardOutput, Is.EqualTo("connect -13\n"));
    }

    [Test]
    public async Task Everything_else_is_refused()
    {
        await using var server = new TestServer(TestServer.Echo);

        ProgramResult result = await RunAsync(Allow(server.Port), "network-refused", $"{server.Port}");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            raw -94
            local -97
            netlink -97
            packet -97
            bind -13
            listen -13
            other port -13
            other address -13
            any address -13
            name that is not there -13
            mapped 0
            loopback -97
            out of band -95
            sent 100000
            shut down 0
            received 100000
            end 0
            closed 0

            """));
        await server.HasClientsAsync(1);
    }

    [Test]
    public async Task The_connections_at_a_time_are_limited()
    {
        await using var server = new TestServer(TestServer.Sink);

        ProgramResult result = await RunAsync(Allow(server.Port) with { MaximumConnections = 3 }, "network-many", $"{server.Port}");

        Assert.That(result.StandardOutput, Is.EqualTo("connections 3\nerror -99\nclose 0\nagain 0\n"));
        await server.HasClientsAsync(4);
        Assert.That(await server.ReceivedAsync(), Is.Zero);
    }

    [Test]
    public async Task The_bytes_of_a_run_are_limited()
    {
        await using var server = new TestServer(TestServer.Sink);

        ProgramResult result = await RunAsync(Allow(server.Port) with { MaximumBytes = 1_000_000 }, "network-flood", $"{server.Port}");

        // After a call that has sent a part, the next one is a broken pipe.
        Assert.That(result.StandardOutput, Is.AnyOf("error -104\n", "error -32\n"));
        await Assert.ThatAsync(server.ReceivedAsync, Throws.InstanceOf<SocketException>());
    }

    /// <summary>The server begins to read when the program has ended, or can end.</summary>
    [Test]
    public async Task What_a_program_has_sent_arrives_after_it_has_closed_the_connection_or_ended([Values("network-close", "network-end")] string command)
    {
        var ended = new TaskCompletionSource();
        await using var server = new TestServer(
            async (socket, token) =>
            {
                await ended.Task.WaitAsync(token);
                return await TestServer.Sink(socket, token);
            },
            bufferSize: 2048);

        // As many bytes as fit in what the host keeps, without the server.
        Task<ProgramResult> run = RunAsync(Allow(server.Port), command, $"{server.Port}", "20000");
        await server.Connected.WaitAsync(TimeSpan.FromSeconds(60));
        await Task.Delay(500);
        ended.SetResult();
        ProgramResult result = await run;

        Assert.That(result.StandardOutput, Does.StartWith("sent 20000\n"));
        Assert.That(await server.ReceivedAsync(), Is.EqualTo(20_000));
    }

    [Test, EndsWithin(500)]
    public async Task The_end_of_a_run_resets_its_connections([Values("network-flood", "network-wait")] string command, [Values] bool isTimeLimit)
    {
        await using var server = new TestServer(command == "network-flood" ? TestServer.Ignore : FloodAsync);
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Time = isTimeLimit ? Enough : TimeSpan.FromMinutes(5) });
        using var source = new CancellationTokenSource();
        Task<ProgramResult> run = runner.RunAsync(Input(Allow(server.Port), command, $"{server.Port}"), source.Token);
        await server.Connected.WaitAsync(TimeSpan.FromSeconds(60));
        await Task.Delay(200);

        if (isTimeLimit)
        {
            Assert.That((await run).End, Is.EqualTo(ProgramEnd.TimeLimit));
        }
        else
        {
            long start = Stopwatch.GetTimestamp();
            await source.CancelAsync();
            await Assert.ThatAsync(() => run, Throws.InstanceOf<OperationCanceledException>());
            TestContext.Out.WriteLine($"Cancelled in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        }

        // Its socket is not there any more: the server cannot send, and the next run is not affected.
        if (command == "network-wait")
        {
            await Assert.ThatAsync(server.ReceivedAsync, Throws.InstanceOf<SocketException>());
        }

        await using var other = new TestServer(TestServer.Echo);
        ProgramResult next = await runner.RunAsync(Input(Allow(other.Port), "network", $"{other.Port}"));
        Assert.That(isTimeLimit || next.StandardOutput.EndsWith("closed 0\n", StringComparison.Ordinal));
        Assert.That((await RunAsync(null, "network", $"{server.Port}")).StandardOutput, Is.EqualTo("connect -13\n"));
    }

    [Test]
    public async Task A_network_of_the_template_is_replaced_by_that_of_a_run_and_there_is_none_before_a_checkpoint()
    {
        await using var server = new TestServer(TestServer.Echo);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
            Command = ["program", "network-ready", $"{server.Port}"],
            Network = Allow(server.Port),
            Checkpoint = ProgramCheckpoint.Ready,
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
        });

        string replaced = (await runner.RunAsync(new ProgramInput { Network = new ProgramNetwork() })).StandardOutput;
        string own = (await runner.RunAsync(ProgramInput.Empty)).StandardOutput;

        Assert.That(runner.WarmUp!.StandardOutput, Is.EqualTo("before -13\n"));
        Assert.That(replaced, Is.EqualTo("connect -13\n"));
        Assert.That(own, Does.EndWith("received 100000\nend 0\nclosed 0\n"));
    }

    [Test]
    public async Task Random_system_calls_do_not_disturb_the_kernel([Values(1, 2)] int seed)
    {
        await using var server = new TestServer(TestServer.Echo);

        ProgramResult result = await RunAsync(Allow(server.Port), "random-calls", $"{seed}", "2000");

        Assert.That(result.End, Is.AnyOf(ProgramEnd.Exited, ProgramEnd.Signaled));
        Assert.That((await RunAsync(Allow(server.Port), "network", $"{server.Port}")).StandardOutput, Does.EndWith("closed 0\n"));
    }

    private static async Task<long> FloodAsync(Socket socket, CancellationToken cancellationToken)
    {
        while (true)
        {
            await socket.SendAsync(new byte[100_000], cancellationToken);
        }
    }

    private static ProgramNetwork Allow(params int[] ports) => new() { AllowedHosts = [.. ports.Select(static port => $"127.0.0.1:{port}")] };

    private static ProgramInput Input(ProgramNetwork? network, params string[] arguments) => new() { Arguments = arguments, Network = network };

    private Task<ProgramResult> RunAsync(ProgramNetwork? network, params string[] arguments) => _runner.RunAsync(Input(network, arguments));
}
