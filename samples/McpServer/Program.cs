using Hyperlight;
using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using Hyperlight.Samples.McpServer;
using Hyperlight.Samples.RunProgram;
using ModelContextProtocol.Server;

const int WrongUsage = 2;
const int CannotRun = 126;

if (CommandLine.Parse(args) is not { Command: [var program, .. var arguments], ImageToWrite: null } line)
{
    // The standard output is for the protocol.
    Console.Error.WriteLine(
        """
        usage: McpServer [--root DIRECTORY] [--include PATH...] INTERPRETER [ARGUMENT...]
        INTERPRETER must read code from its standard input, for example: McpServer /usr/bin/python3 -
        """);
    return WrongUsage;
}

try
{
    string path = line.Root is null ? Path.GetFullPath(program) : program;
    await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = ProgramFiles.ImageOf(line),
        Command = [path, .. arguments],
    });
    var options = new CodeExecutionOptions
    {
        Description = $"Executes code with {Path.GetFileName(path)} in an isolated machine without a network, and returns what it prints. Each call starts from the same state.",
    };
    await using McpServer server = CodeServer.Create(new StdioServerTransport("hyperlight"), runner, options);
    await server.RunAsync();
    return 0;
}
catch (Exception exception) when (exception is HyperlightException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(exception.Message);
    return CannotRun;
}
