using System.Globalization;
using Hyperlight.Programs;

namespace Hyperlight.Samples.RunProgram;

/// <summary>What the sample is asked to do.</summary>
internal sealed class CommandLine
{
    public const string Usage =
        """
        usage: RunProgram [OPTION...] EXECUTABLE [ARGUMENT...]
               RunProgram --checkpoint KIND [OPTION...] EXECUTABLE [ARGUMENT...] [-- ARGUMENT-OF-THE-RUN...]
          --root DIRECTORY     a directory that is the root of the program's files
          --include PATH       a further file or directory, at the same path for the program
          --directory GUEST=HOST[:rw]
                               a directory of this machine, at a path of the program; with :rw the program can change it
          --allow HOST:PORT    where the program may connect to over TCP: a name, or an address; can be given several times
          --write-image FILE   write the image to a file instead of running the program; EXECUTABLE can be omitted
          --checkpoint KIND    entry or ready: run from the entry point, or from where the program reads /dev/hyperlight/ready
          --checkpoint-directory DIRECTORY
                               where the checkpoint is kept: the next time it is loaded from there
          --seed NUMBER        random numbers from a seed and virtual clocks, so that each run has the same output
          --verbose            state which image is used and how long each step takes
        EXECUTABLE is a path, or a name that is looked up in the directories of PATH; with --root, an absolute path in it
        """;

    public string? Root { get; private set; }

    public List<string> Included { get; } = [];

    /// <summary>Directories of the host, by their paths for the program.</summary>
    public Dictionary<string, ProgramDirectory> Directories { get; } = [];

    /// <summary>Where the program may connect to.</summary>
    public List<string> AllowedHosts { get; } = [];

    public string? ImageToWrite { get; private set; }

    public bool IsVerbose { get; private set; }

    public ProgramCheckpoint Checkpoint { get; private set; }

    /// <summary>Where the checkpoint is kept; <see langword="null"/> for nowhere.</summary>
    public string? CheckpointDirectory { get; private set; }

    /// <summary>The seed of random numbers; <see langword="null"/> for those of the machine, and its clocks.</summary>
    public ulong? Seed { get; private set; }

    /// <summary>The executable and its arguments.</summary>
    public string[] Command { get; private set; } = [];

    /// <summary>The path of the executable among the program's files; <see langword="null"/> if this machine does not have it.</summary>
    public string? ExecutablePath => Command switch
    {
        [] => null,
        [var executable, ..] => Root is null ? ExecutableSearch.Find(executable, Environment.GetEnvironmentVariable("PATH")) : executable,
    };

    /// <summary>The arguments that the program gets at its checkpoint; without one, all of them.</summary>
    public string[] RunArguments { get; private set; } = [];

    /// <summary>Options end at the executable: what follows is the program's.</summary>
    /// <returns><see langword="null"/> if the usage has to be printed.</returns>
    public static CommandLine? Parse(string[] arguments)
    {
        var result = new CommandLine();
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--verbose":
                    result.IsVerbose = true;
                    break;
                case "--root" when i + 1 < arguments.Length:
                    result.Root = arguments[++i];
                    break;
                case "--include" when i + 1 < arguments.Length:
                    result.Included.Add(arguments[++i]);
                    break;
                case "--directory" when i + 1 < arguments.Length && result.AddDirectory(arguments[i + 1]):
                    i++;
                    break;
                case "--allow" when i + 1 < arguments.Length:
                    result.AllowedHosts.Add(arguments[++i]);
                    break;
                case "--checkpoint" when i + 1 < arguments.Length && arguments[i + 1] is "entry" or "ready":
                    result.Checkpoint = arguments[++i] == "entry" ? ProgramCheckpoint.EntryPoint : ProgramCheckpoint.Ready;
                    break;
                case "--checkpoint-directory" when i + 1 < arguments.Length:
                    result.CheckpointDirectory = arguments[++i];
                    break;
                case "--seed" when i + 1 < arguments.Length && ulong.TryParse(arguments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed):
                    result.Seed = seed;
                    i++;
                    break;
                case "--write-image" when i + 1 < arguments.Length:
                    result.ImageToWrite = arguments[++i];
                    break;
                case var option when option.StartsWith("--", StringComparison.Ordinal):
                    return null;
                default:
                    result.Split(arguments[i..]);
                    return result;
            }
        }

        return result.ImageToWrite is null ? null : result;
    }

    private bool AddDirectory(string argument)
    {
        const string Writable = ":rw";
        int separator = argument.IndexOf('=', StringComparison.Ordinal);
        bool isWritable = argument.EndsWith(Writable, StringComparison.Ordinal);
        string path = argument[(separator + 1)..(isWritable ? ^Writable.Length : ^0)];
        return separator > 0 && path.Length != 0
            && Directories.TryAdd(argument[..separator], new ProgramDirectory(path) { IsWritable = isWritable });
    }

    private void Split(string[] command)
    {
        int end = Checkpoint == ProgramCheckpoint.None ? 1 : Array.IndexOf(command, "--");
        Command = end < 0 ? command : command[..end];
        RunArguments = end < 0 ? [] : command[(Checkpoint == ProgramCheckpoint.None ? end : end + 1)..];
    }
}
