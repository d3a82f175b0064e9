namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>What is emitted behind all blocks, since it is rarely executed.</summary>
internal enum OutOfLineKind
{
    /// <summary>The interpreter executes an instruction, and execution goes on behind it.</summary>
    Interpret,

    /// <summary>The same with all instructions of a span.</summary>
    InterpretSpan,

    /// <summary>RAX gets flags that were not saved, for <see cref="Interpret"/> or the second copy of a trace.</summary>
    ComputeFlags,

    /// <summary>RAX gets the flags back that were saved elsewhere, for <see cref="Interpret"/>.</summary>
    RestoreFlags,

    /// <summary>A high address is that of a jump only if it is canonical; the number is the label for others.</summary>
    CheckAddress,

    /// <summary>A return cannot go where it leads, and does not move the stack pointer; the number is how far it was moved.</summary>
    UndoReturn,

    /// <summary>A trace is left before its end.</summary>
    LeaveTrace,

    /// <summary>The budget ends within a trace: the interpreter executes its beginning.</summary>
    EndBudget,

    /// <summary>The guest goes on outside the region.</summary>
    GoOn,
}

/// <summary>A place that is emitted behind all blocks.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Label">Where it is.</param>
/// <param name="Done">Where it goes afterwards.</param>
/// <param name="Number">The number of the instruction, or how many instructions of the trace were not executed.</param>
/// <param name="ConvertsFlags">Whether flags are restored: the host's are the guest's afterwards. Of a trace that is left, whether they are saved.</param>
/// <param name="Rip">Where the guest is.</param>
/// <param name="Source">The instruction from which flags are computed.</param>
internal readonly record struct OutOfLine(
    OutOfLineKind Kind, int Label, int Done = 0, int Number = 0, bool ConvertsFlags = false, ulong Rip = 0,
    TraceOp Source = default);
