namespace Hyperlight.Programs;

/// <summary>From where the runs of a program start (<see cref="ProgramTemplate.Checkpoint"/>).</summary>
public enum ProgramCheckpoint
{
    /// <summary>From its beginning: each run loads the program.</summary>
    None,

    /// <summary>
    /// From the executable's entry point: the dynamic linker has loaded and initialised the libraries. The program need not know of it.
    /// </summary>
    EntryPoint,

    /// <summary>
    /// From where the program reads <c>/dev/hyperlight/ready</c> the first time: it has initialised itself, and reads the arguments and the
    /// environment variables of the run.
    /// </summary>
    Ready,
}
