using Hyperlight.Extensions.AI;
using Hyperlight.Programs;
using Hyperlight.Samples.RunProgram;
using ModelContextProtocol.Server;

namespace Hyperlight.Samples.McpServer;

/// <summary>What the server makes of its command line, which is that of the sample RunProgram.</summary>
internal static class ServerCommand
{
    public const string Usage =
        """
        usage: McpServer [OPTION...] INTERPRETER [ARGUMENT...]
          --root DIRECTORY     a directory that is the root of the interpreter's files
          --include PATH       a further file or directory, at the same path for the interpreter
          --directory GUEST=HOST[:rw]
                               a directory of this machine, at a path of the code; with :rw the code can change it
          --allow HOST:PORT    where the code may connect to over TCP: a name, or an address; can be given several times
          --seed NUMBER        random numbers from a seed and virtual clocks: the same code has the same output
          --checkpoint KIND    entry or ready: each call starts from the entry point, or from where the program reads /dev/hyperlight/ready
        INTERPRETER must read code from its standard input, for example: McpServer python3 -
        """;

    /// <summary>What the server cannot do of what it is asked to.</summary>
    /// <returns><see langword="null"/> if it can do all.</returns>
    public static string? ProblemOf(CommandLine line) =>
        line.ImageToWrite is not null ? "--write-image is of RunProgram alone: this server runs programs."
        : line.IsVerbose ? "--verbose is of RunProgram alone: this server has nothing to state."
        : line.Checkpoint != ProgramCheckpoint.None && line.RunArguments.Length > 0
            ? $"'-- {string.Join(' ', line.RunArguments)}': calls of the server have no arguments after the checkpoint, but code. Put them before --."
        : null;

    /// <summary>What runs for each call.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="path">The path of the interpreter.</param>
    public static ProgramTemplate TemplateOf(CommandLine line, string path) => new()
    {
        Image = ProgramFiles.ImageOf(line),
        // Without a checkpoint, the arguments are those of each run.
        Command = [path, .. line.Command[1..], .. line.RunArguments],
        Checkpoint = line.Checkpoint,
        Seed = line.Seed,
        Directories = line.Directories,
        Network = line.AllowedHosts.Count == 0 ? null : new ProgramNetwork { AllowedHosts = line.AllowedHosts },
    };

    /// <summary>What the client is told of the effects of the tool.</summary>
    public static McpServerToolCreateOptions HintsOf(CommandLine line) => new()
    {
        ReadOnly = line.AllowedHosts.Count == 0 && !line.Directories.Values.Any(static directory => directory.IsWritable),
        OpenWorld = line.AllowedHosts.Count > 0,
    };

    /// <summary>What the model is told.</summary>
    public static CodeExecutionOptions OptionsOf(CommandLine line, string path)
    {
        string network = line.AllowedHosts.Count == 0 ? "without a network" : $"which can connect to {string.Join(", ", line.AllowedHosts)} over TCP";
        string directories = string.Concat(line.Directories.Select(static directory =>
            $" The directory {directory.Key} is the user's: {(directory.Value.IsWritable ? "what the code changes there is changed for the user" : "it cannot be changed")}."));
        return new CodeExecutionOptions
        {
            Description = $"Executes code with {Path.GetFileName(path)} in an isolated machine {network}, and returns what it prints. Each call starts from the same state.{directories}",
        };
    }
}
