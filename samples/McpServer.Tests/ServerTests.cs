using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json;
using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>The server with the client of the same package.</summary>
[TestFixture]
internal sealed class ServerTests
{
    private const string Lua = "/usr/bin/lua5.4";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Test]
    public async Task A_client_executes_code()
    {
        await using ProgramRunner runner = await Programs.CreateAsync("echo");
        await using var connection = await Connection.OpenAsync(runner);

        IList<McpClientTool> tools = await connection.Client.ListToolsAsync();
        CallToolResult result = await connection.Client.CallToolAsync("execute_code", new Dictionary<string, object?>
        {
            ["code"] = "print(1)",
            ["files"] = new[] { new Dictionary<string, string> { ["path"] = "data", ["text"] = "1,2" } },
        });

        Assert.That(tools.Single().Name, Is.EqualTo("execute_code"));
        Assert.That(tools[0].JsonSchema.GetProperty("required")[0].GetString(), Is.EqualTo("code"));
        JsonElement content = JsonElement.Parse(((TextContentBlock)result.Content[0]).Text);
        Assert.That(content.GetProperty("output").GetString(), Is.EqualTo("print(1)bytes 8\n"));
        Assert.That(content.GetProperty("files")[0].GetProperty("text").GetString(), Is.EqualTo("1,2"));
    }

    /// <summary>The machine may be busy with other things: one of the attempts must be fast.</summary>
    [Test]
    public async Task A_request_that_is_cancelled_ends_the_code_within_100_milliseconds()
    {
        var most = TimeSpan.FromMilliseconds(100);
        await using ProgramRunner runner = await Programs.CreateAsync("loop");
        var observed = new ObservedRunner(runner);
        await using var connection = await Connection.OpenAsync(observed);
        TimeSpan best = TimeSpan.MaxValue;
        for (long begin = Stopwatch.GetTimestamp(); best > most && Stopwatch.GetElapsedTime(begin) < Patience;)
        {
            TimeSpan time = await CancelAsync(connection.Client, observed);
            best = time < best ? time : best;
        }

        Assert.That(best, Is.LessThan(most));
    }

    [Test]
    public async Task A_client_starts_the_server_with_an_interpreter_of_the_machine()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(Lua))
        {
            Assert.Ignore($"'{Lua}' is not installed on this machine.");
        }

        await using McpClient client = await McpClient.CreateAsync(new StdioClientTransport(new StdioClientTransportOptions
        {
            Command = "dotnet",
            Arguments = [typeof(CodeServer).Assembly.Location, Lua, "-"],
        }));
        CallToolResult result = await client.CallToolAsync("execute_code", new Dictionary<string, object?>
        {
            ["code"] = "for i = 1, 3 do io.write(i * i, ' ') end; local f = io.open('/files/out.txt', 'w'); f:write('left'); f:close()",
        });

        JsonElement content = JsonElement.Parse(((TextContentBlock)result.Content[0]).Text);
        Assert.That(content.GetProperty("output").GetString(), Is.EqualTo("1 4 9 "), content.GetRawText());
        Assert.That(content.GetProperty("files")[0].GetProperty("text").GetString(), Is.EqualTo("left"));
    }

    /// <summary>How long code goes on after its request was cancelled.</summary>
    private static async Task<TimeSpan> CancelAsync(McpClient client, ObservedRunner observed)
    {
        using var source = new CancellationTokenSource();
        Task<CallToolResult> call = client.CallToolAsync(
            "execute_code", new Dictionary<string, object?> { ["code"] = "" }, cancellationToken: source.Token).AsTask();
        ProgramRun run = await observed.NextAsync().WaitAsync(Patience);
        await Task.Delay(50);

        long start = Stopwatch.GetTimestamp();
        await source.CancelAsync();

        // Of itself, it would end at its time limit, a minute later and without an exception.
        await Assert.ThatAsync(() => run.Result.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        await Assert.ThatAsync(() => call, Throws.InstanceOf<OperationCanceledException>());
        return time;
    }

    /// <summary>A client and a server in this process.</summary>
    private sealed class Connection : IAsyncDisposable
    {
        private readonly ModelContextProtocol.Server.McpServer _server;
        private readonly Task _serving;

        private Connection(ModelContextProtocol.Server.McpServer server, McpClient client, Task serving)
        {
            _server = server;
            _serving = serving;
            Client = client;
        }

        public McpClient Client { get; }

        public static async Task<Connection> OpenAsync(IProgramRunner runner)
        {
            var toServer = new Pipe();
            var toClient = new Pipe();
            ModelContextProtocol.Server.McpServer server = CodeServer.Create(
                new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()), runner, new CodeExecutionOptions(), new McpServerToolCreateOptions());
            Task<McpClient> client = McpClient.CreateAsync(new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream()));
            Task serving = server.RunAsync();
            return new Connection(server, await client, serving);
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await _server.DisposeAsync();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
