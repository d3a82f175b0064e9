namespace Hyperlight.Programs;

/// <summary>What a <see cref="ProgramRunner"/> runs, and how. Immutable.</summary>
public sealed record ProgramTemplate
{
    /// <summary>The files of the program.</summary>
    public required ProgramImage Image { get; init; }

    /// <summary>
    /// The absolute path of the executable in the image. Default, with <see langword="null"/>: the only executable of the image if it was
    /// made of one, and otherwise the first element of <see cref="Command"/>.
    /// </summary>
    public string? Executable { get; init; }

    /// <summary>
    /// The program's arguments, <c>argv[0]</c> first; those of a run (<see cref="ProgramInput.Arguments"/>) follow. Default, and if it
    /// is empty: the path of the executable.
    /// </summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>The absolute path of the directory in which the program starts. Default: <c>/</c>.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>The environment variables. Default: none. Nothing of the host's environment is passed.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// From where runs start. With another value than the default, the program runs to its checkpoint when the runner is created; each run
    /// continues there, with other random numbers, and with arguments, environment variables, files and streams of its own. Default: <see
    /// cref="ProgramCheckpoint.None"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a value of <see cref="ProgramCheckpoint"/>.</exception>
    public ProgramCheckpoint Checkpoint
    {
        get;
        init
        {
            field = Enum.IsDefined(value)
                ? value
                : throw new ArgumentOutOfRangeException(nameof(value), value, $"It is not a value of {nameof(ProgramCheckpoint)}.");
        }
    }

    /// <summary>
    /// An input of the application, with which the program is run once from its checkpoint when the runner is created, as in any other run:
    /// with its tools, directories and network. Later runs find nothing of its memory and files, but are prepared for what it did: the pages of
    /// memory that it used are there when they start, and its code is translated already. They can find out which pages that were: the input has no
    /// secrets. Choose one that does what most runs do, and whose effects outside of the program are harmless; it has no streams. How it ended is <see cref="ProgramWarmUp.Trial"/>. Default: none, and no such run.
    /// </summary>
    public ProgramInput? TrialInput { get; init; }

    /// <summary>
    /// A directory of the host in which the checkpoint is kept. If it was saved there, by this process or another one, it is loaded instead of
    /// running the program to it, with its trial run; otherwise it is saved, if it can be (<see cref="ProgramWarmUp.SaveFailure"/>). What is saved is found again only with the same image, command, environment, limits, trial input,
    /// directories, tools and seed, and on the same hypervisor, kind of processor and version of this library. It contains the memory of the program, with what
    /// the program got from tools and directories before its checkpoint. Default: none; each runner runs the program to its checkpoint.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Anyone who can write to the directory controls what runs start with, in their micro VMs: one that belongs to another user than the process's or root, or that the group or others may write to, is
    /// refused, except on Windows. Anyone who can read it can read the program's memory. What is created is for the process's user alone.
    /// </para>
    /// <para>
    /// Random numbers that the program drew before its checkpoint are the same in all runs of all machines that load it, and so is the state of every generator that it has initialised, such as
    /// OpenSSL's. Give such generators random bytes after the checkpoint. A time of day that the program computes from the monotonic clock is wrong by the age of the checkpoint.
    /// </para>
    /// <para>
    /// Checkpoints that are not used any more stay: delete the directory, under another name if runners are being created. It is not used by those that were created.
    /// The format is that of <see cref="Snapshot.Save(string, string)"/>.
    /// </para>
    /// </remarks>
    public string? CheckpointDirectory { get; init; }

    /// <summary>
    /// The seed of runs that can be repeated: any number. What a run finds of time and chance follows from it and from what the program does: the
    /// kernel's random numbers and the addresses of the program, the clocks, which are virtual, and when another thread runs. Runs of the same
    /// image, command and input have the same output then, on the same machine; what is left out depends on the driver (see the documentation).
    /// Code that knows the seed can predict the random numbers: it is not for secrets. Default <see langword="null"/>: random numbers from the
    /// operating system, and the clocks of the host.
    /// </summary>
    /// <remarks>
    /// The monotonic clock goes on by 10 microseconds at each system call, and by the whole time of a wait when all threads wait, which ends at once;
    /// computing takes no time. While a thread waits for <see cref="ProgramInput.StandardInputStream"/>, or a connection is open, a wait takes the real time. Limits of time (<see cref="ProgramLimits.Time"/>) are of real time.
    /// </remarks>
    public ulong? Seed { get; init; }

    /// <summary>
    /// What the wall clock shows when a run with a <see cref="Seed"/> starts, also one from a checkpoint: from 1970 to 2100. Default, with <see
    /// langword="null"/>: 2026-01-01T00:00:00Z.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Before 1970 or after the start of 2100.</exception>
    public DateTimeOffset? StartTime
    {
        get;
        init
        {
            if (value < DateTimeOffset.UnixEpoch || value > ProgramSeed.LatestStartTime)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(StartTime)} must be from 1970 to the start of 2100.");
            }

            field = value;
        }
    }

    /// <summary>What a run may use.</summary>
    public ProgramLimits Limits { get; init; } = new();

    /// <summary>
    /// Directories of the host that the program can read, or change if they permit it, by the absolute paths at which the program finds them
    /// instead of what the image has there. Nothing else of the host's files is reached: links are left out, and only regular files and
    /// directories are there. What is in a directory is what was there when the program first looked, and a file has the content that it had
    /// when the program first opened it; it uses up memory of the program. What a program changes is changed on the host at once. Linux alone.
    /// Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, ProgramDirectory> Directories { get; init; } = new Dictionary<string, ProgramDirectory>();

    /// <summary>
    /// What the program can call of the application, through <c>/dev/hyperlight/call</c>. Default: nothing; the program cannot open the
    /// device then (<c>EACCES</c>).
    /// </summary>
    public IReadOnlyList<ProgramTool> Tools { get; init; } = [];

    /// <summary>
    /// Where the program may connect to over TCP. Before a checkpoint it has no network. Default: nowhere; the program cannot create a socket
    /// then (<c>EACCES</c>).
    /// </summary>
    public ProgramNetwork? Network { get; init; }

    /// <summary>
    /// Creates the builder of the sandbox, for example to select a hypervisor, log or record metrics. The runner sets its guest,
    /// configuration and host functions. Default: a new <see cref="SandboxBuilder"/>, which uses the first usable hypervisor.
    /// </summary>
    public Func<SandboxBuilder> CreateBuilder { get; init; } = static () => new SandboxBuilder();
}
