namespace Hyperlight.Programs;

/// <summary>What a program may use in one run. Immutable.</summary>
public sealed record ProgramLimits
{
    /// <summary>The smallest <see cref="Memory"/>, in bytes: 2 MiB.</summary>
    public const long MinimumMemory = 0x20_0000;

    /// <summary>The largest <see cref="Memory"/>, in bytes: 8 GiB.</summary>
    public const long MaximumMemory = 0x2_0000_0000;

    /// <summary>The largest <see cref="Threads"/>.</summary>
    public const int MaximumThreads = 256;

    /// <summary>The largest <see cref="Processes"/>.</summary>
    public const int MaximumProcesses = 32;

    /// <summary>As long as a timer can be.</summary>
    internal static TimeSpan LongestTime { get; } = TimeSpan.FromDays(49);

    /// <summary>
    /// Bytes of memory, page tables included; pages of the executable that are not written do not count. Default 128 MiB. Memory of
    /// the host is committed as it is used. Requests for more fail in the program with <c>ENOMEM</c>; a program that uses more all
    /// the same is ended with <see cref="ProgramEnd.MemoryLimit"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below <see cref="MinimumMemory"/> or above <see cref="MaximumMemory"/>.</exception>
    public long Memory
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, MinimumMemory, nameof(Memory));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumMemory, nameof(Memory));
            field = value;
        }
    } = 0x800_0000;

    /// <summary>
    /// Bytes of standard output and standard error together. Default 16 MiB. A program that writes more is ended with <see
    /// cref="ProgramEnd.OutputLimit"/>; the result has the bytes up to the limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int Output
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Output));
            field = value;
        }
    } = 0x100_0000;

    /// <summary>
    /// Bytes of the files that a result has (<see cref="ProgramInput.OutputDirectories"/>). Default 64 MiB. Of a program that leaves
    /// more behind, the result has some files, and <see cref="ProgramResult.IsFileLimitReached"/> is set.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long OutputFileBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(OutputFileBytes));
            field = value;
        }
    } = 0x400_0000;

    /// <summary>The number of files that a result has. Default 10,000; as <see cref="OutputFileBytes"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int OutputFiles
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(OutputFiles));
            field = value;
        }
    } = 10_000;

    /// <summary>
    /// Threads of all processes together, those that have ended not included. Default 256. <c>clone</c> and <c>fork</c> fail in the program with
    /// <c>EAGAIN</c> when there would be more; the program goes on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1 or above <see cref="MaximumThreads"/>.</exception>
    public int Threads
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Threads));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumThreads, nameof(Threads));
            field = value;
        }
    } = MaximumThreads;

    /// <summary>
    /// Processes, including the first one and those that have ended and were not waited for. Default 32. <c>fork</c>, <c>vfork</c> and
    /// <c>clone</c> fail in the program with <c>EAGAIN</c> when there would be more; the program goes on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1 or above <see cref="MaximumProcesses"/>.</exception>
    public int Processes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Processes));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumProcesses, nameof(Processes));
            field = value;
        }
    } = MaximumProcesses;

    /// <summary>
    /// The time that a run may take. Default 1 minute; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. A program that takes
    /// longer is ended with <see cref="ProgramEnd.TimeLimit"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive and not infinite, or longer than 49 days.</exception>
    public TimeSpan Time
    {
        get;
        init
        {
            CheckTime(value, nameof(Time));
            field = value;
        }
    } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The time that the program may compute, on the processor of its micro VM: waits for streams, tools and times do not count, and the
    /// kernel's own work does. Default <see langword="null"/>: no limit but <see cref="Time"/>. A program that computes longer is ended with
    /// <see cref="ProgramEnd.CpuTimeLimit"/>. It is measured by the host's clock, also while the operating system lets other threads run.
    /// What the host does for the program, such as writing files, does not count: keep <see cref="Time"/> finite.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or longer than 49 days.</exception>
    public TimeSpan? CpuTime
    {
        get;
        init
        {
            if (value is { } time)
            {
                CheckFiniteTime(time, nameof(CpuTime));
            }

            field = value;
        }
    }

    /// <summary>
    /// The instructions that a run may execute, those of the kernel included. Default <see langword="null"/>: no limit. A program that
    /// executes more is ended with <see cref="ProgramEnd.InstructionLimit"/>. Only drivers that count instructions support it, such as the
    /// emulator; with others, creating the runner fails with an <see cref="UnsupportedConfigurationException"/>. The work of the host does not
    /// count: keep <see cref="Time"/> finite.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public long? Instructions
    {
        get;
        init
        {
            if (value is { } count)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(Instructions));
            }

            field = value;
        }
    }

    /// <summary>
    /// The system calls that all processes of a run may make, those included that a signal interrupted and that are made again. Default <see
    /// langword="null"/>: no limit. A program that makes more is ended with <see cref="ProgramEnd.SystemCallLimit"/>, before the call has an
    /// effect. The kernel of the program counts them.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long? SystemCalls
    {
        get;
        init
        {
            if (value is { } count)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(SystemCalls));
            }

            field = value;
        }
    }

    /// <summary>
    /// The time in which a program must reach its checkpoint (<see cref="ProgramTemplate.Checkpoint"/>), once, when its runner is created.
    /// Default 1 minute; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. Otherwise there is a <see cref="ProgramCheckpointException"/>. As long
    /// may each of the two steps take that prepare runs after a <see cref="ProgramTemplate.TrialInput"/>; otherwise there is a
    /// <see cref="GuestProtocolException"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive and not infinite, or longer than 49 days.</exception>
    public TimeSpan WarmUpTime
    {
        get;
        init
        {
            CheckTime(value, nameof(WarmUpTime));
            field = value;
        }
    } = TimeSpan.FromMinutes(1);

    /// <summary>Checks a time that may be infinite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive and not infinite, or longer than <see cref="LongestTime"/>.</exception>
    internal static void CheckTime(TimeSpan time, string name)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            CheckFiniteTime(time, name);
        }
    }

    private static void CheckFiniteTime(TimeSpan time, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, LongestTime, name);
    }
}
