namespace Hyperlight.Samples.Plugin;

/// <summary>What a plugin should not do.</summary>
public enum Misbehaviour
{
    /// <summary>Throws an exception.</summary>
    Throw,

    /// <summary>Computes without end.</summary>
    Loop,

    /// <summary>Allocates without end.</summary>
    Allocate,

    /// <summary>Calls itself without end.</summary>
    Recurse,

    /// <summary>Reads a file of the machine.</summary>
    ReadFile,

    /// <summary>Opens a connection.</summary>
    OpenSocket,

    /// <summary>Writes something else than answers to the standard output.</summary>
    WriteOutput,

    /// <summary>Ends its process.</summary>
    Exit,
}
