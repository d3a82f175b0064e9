namespace Hyperlight.Programs;

/// <summary>How a run of a program ended.</summary>
public enum ProgramEnd
{
    /// <summary>The program called <c>exit</c>; <see cref="ProgramResult.ExitCode"/> is its status.</summary>
    Exited,

    /// <summary>A signal ended the program: an exception of the processor, or one that it sent to itself. See <see cref="ProgramResult.Signal"/>.</summary>
    Signaled,

    /// <summary>The program used more than <see cref="ProgramLimits.Memory"/>.</summary>
    MemoryLimit,

    /// <summary>The program wrote more than <see cref="ProgramLimits.Output"/>.</summary>
    OutputLimit,

    /// <summary>The program ran longer than <see cref="ProgramLimits.Time"/>.</summary>
    TimeLimit,

    /// <summary>All threads of the program waited, without a timer: nothing could have ended that.</summary>
    Deadlock,

    /// <summary>The program computed longer than <see cref="ProgramLimits.CpuTime"/>.</summary>
    CpuTimeLimit,

    /// <summary>The program executed more than <see cref="ProgramLimits.Instructions"/>.</summary>
    InstructionLimit,

    /// <summary>The program made more than <see cref="ProgramLimits.SystemCalls"/>.</summary>
    SystemCallLimit,
}
