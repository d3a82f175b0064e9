namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>What the benchmark guest can compute; the numbers are the guest's.</summary>
internal enum Workload
{
    /// <summary>Lists are filled and sorted: loads, compares and jumps that are hard to foresee.</summary>
    List,

    /// <summary>Small matrices are multiplied.</summary>
    Matrix,

    /// <summary>A text is classified character by character.</summary>
    StateMachine,

    /// <summary>A checksum bit by bit.</summary>
    Crc,

    /// <summary>Arithmetic in registers alone.</summary>
    Loop,

    /// <summary>All but the loop in turn.</summary>
    Mix,
}
