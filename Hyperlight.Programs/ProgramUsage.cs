namespace Hyperlight.Programs;

/// <summary>What a run of a program has used.</summary>
public readonly record struct ProgramUsage
{
    /// <summary>The time from the beginning of the run to its end, without the wait for a runner. Limited by <see cref="ProgramLimits.Time"/>.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>
    /// The time that the processor of the micro VM has run, the kernel's work included, and calls of the host not. Limited by <see
    /// cref="ProgramLimits.CpuTime"/>.
    /// </summary>
    public TimeSpan CpuTime { get; init; }

    /// <summary>
    /// The instructions that were executed, those of the kernel included; <see langword="null"/> if the driver does not count them. Limited
    /// by <see cref="ProgramLimits.Instructions"/>.
    /// </summary>
    public long? Instructions { get; init; }

    /// <summary>
    /// The system calls of all processes, as the kernel counts them; <see langword="null"/> if the run was ended from outside, so that the
    /// kernel did not report. Limited by <see cref="ProgramLimits.SystemCalls"/>.
    /// </summary>
    public long? SystemCalls { get; init; }
}
