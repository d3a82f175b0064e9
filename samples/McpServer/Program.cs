using Hyperlight;
using Hyperlight.Programs;
using Hyperlight.Samples.McpServer;
using Hyperlight.Samples.RunProgram;
using ModelContextProtocol.Server;

const int WrongUsage = 2;
const int CannotRun = 126;
const int NotFound = 127;

// The standard output is for the protocol: messages are on the standard error.
if (CommandLine.Parse(args) is not { } line)
{
    Console.Error.WriteLine(ServerCommand.Usage);
    return WrongUsage;
}

if (ServerCommand.ProblemOf(line) is { } problem)
{
    Console.Error.WriteLine(problem);
    return WrongUsage;
}

if (line.ExecutablePath is not { } path)
{
    Console.Error.WriteLine($"{line.Command[0]}: not found");
    return NotFound;
}

try
{
    await using ProgramRunner runner = await ProgramRunner.CreateAsync(ServerCommand.TemplateOf(line, path));
    await using McpServer server = CodeServer.Create(new StdioServerTransport("hyperlight"), runner, ServerCommand.OptionsOf(line, path), ServerCommand.HintsOf(line));
    await server.RunAsync();
    return 0;
}
catch (Exception exception) when (exception is HyperlightException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(exception.Message);
    return CannotRun;
}
