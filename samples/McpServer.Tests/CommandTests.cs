using Hyperlight.Programs;
using Hyperlight.Samples.RunProgram;
using ModelContextProtocol.Client;
using ModelContextProtocol.Server;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>Each option of the command line has its effect or is refused.</summary>
[TestFixture]
internal sealed class CommandTests
{
    private static readonly string Directory = AppContext.BaseDirectory;

    private static readonly string[] Allowed = ["10.0.0.5:80", "example.com:443"];

    [Test]
    public void Options_are_those_of_the_program()
    {
        CommandLine line = Parse(
            "--allow", "10.0.0.5:80", "--allow", "example.com:443", "--directory", $"/data={Directory}:rw", "--directory", $"/more={Directory}",
            "--seed", "42", "--checkpoint", "ready", Programs.Path, "echo", "two");

        ProgramTemplate template = ServerCommand.TemplateOf(line, Programs.Path);

        Assert.That(ServerCommand.ProblemOf(line), Is.Null);
        Assert.That(template.Network!.AllowedHosts, Is.EqualTo(Allowed));
        Assert.That(template.Directories["/data"], Is.EqualTo(new ProgramDirectory(Directory) { IsWritable = true }));
        Assert.That(template.Directories["/more"].IsWritable, Is.False);
        Assert.That(template.Checkpoint, Is.EqualTo(ProgramCheckpoint.Ready));
        Assert.That(template.Seed, Is.EqualTo(42));
        Assert.That(template.Command, Is.EqualTo(new[] { Programs.Path, "echo", "two" }));
    }

    [Test]
    public void Without_options_the_program_has_its_arguments_and_nothing_else()
    {
        ProgramTemplate template = ServerCommand.TemplateOf(Parse(Programs.Path, "echo", "-", "--allow"), Programs.Path);

        Assert.That(template.Command, Is.EqualTo(new[] { Programs.Path, "echo", "-", "--allow" }));
        Assert.That((template.Network, template.Directories.Count, template.Checkpoint), Is.EqualTo(((ProgramNetwork?)null, 0, ProgramCheckpoint.None)));
    }

    [Test]
    public void The_model_and_the_client_know_what_the_code_can_reach()
    {
        CommandLine confined = Parse(Programs.Path);
        CommandLine open = Parse("--allow", "example.com:443", "--directory", $"/data={Directory}:rw", Programs.Path);
        CommandLine reading = Parse("--directory", $"/data={Directory}", Programs.Path);

        McpServerToolCreateOptions hints = ServerCommand.HintsOf(confined);
        McpServerToolCreateOptions ofOpen = ServerCommand.HintsOf(open);

        Assert.That((hints.ReadOnly, hints.OpenWorld, ofOpen.ReadOnly, ofOpen.OpenWorld), Is.EqualTo((true, false, false, true)));
        Assert.That((ServerCommand.HintsOf(reading).ReadOnly, ServerCommand.HintsOf(reading).OpenWorld), Is.EqualTo((true, false)));
        Assert.That(Description(confined), Does.Contain("without a network").And.Not.Contain("directory"));
        Assert.That(Description(open), Does.Contain("can connect to example.com:443").And.Contain("/data is the user's: what the code changes"));
        Assert.That(Description(reading), Does.Contain("/data is the user's: it cannot be changed"));
    }

    [Test]
    public void What_has_no_effect_is_refused()
    {
        Assert.That(ServerCommand.ProblemOf(Parse("--verbose", Programs.Path)), Does.Contain("--verbose"));
        Assert.That(ServerCommand.ProblemOf(Parse("--write-image", "image")), Does.Contain("--write-image"));
        Assert.That(ServerCommand.ProblemOf(Parse("--checkpoint", "entry", Programs.Path, "--", "later")), Does.Contain("'-- later'"));
        Assert.That(ServerCommand.ProblemOf(Parse("--checkpoint", "entry", Programs.Path, "echo")), Is.Null);
    }

    [Test]
    public async Task A_server_executes_code_from_a_checkpoint_and_with_a_directory()
    {
        const string Lua = "/usr/bin/lua5.4";
        if (!OperatingSystem.IsLinux() || !File.Exists(Lua))
        {
            Assert.Ignore($"'{Lua}' is not installed on this machine.");
        }

        string directory = System.IO.Directory.CreateTempSubdirectory().FullName;
        try
        {
            await using McpClient client = await McpClient.CreateAsync(new StdioClientTransport(new StdioClientTransportOptions
            {
                Command = "dotnet",
                Arguments = [typeof(CodeServer).Assembly.Location, "--checkpoint", "entry", "--directory", $"/data={directory}:rw", "lua5.4", "-"],
            }));
            _ = await client.CallToolAsync("execute_code", new Dictionary<string, object?>
            {
                ["code"] = "local f = assert(io.open('/data/out.txt', 'w')); f:write('left'); f:close()",
            });

            Assert.That(await File.ReadAllTextAsync(Path.Combine(directory, "out.txt")), Is.EqualTo("left"));
        }
        finally
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
    }

    private static CommandLine Parse(params string[] arguments) => CommandLine.Parse(arguments)!;

    private static string Description(CommandLine line) => ServerCommand.OptionsOf(line, Programs.Path).Description;
}
