namespace Hyperlight.Tests.Machine;

/// <summary>An exception or interrupt as its handler finds it: the stack frame, and the registers that go with it.</summary>
internal sealed record MachineEvent
{
    public required byte Vector { get; init; }

    /// <summary>The error code, or <see langword="null"/> for a vector that has none.</summary>
    public ulong? Error { get; init; }

    public ulong Rip { get; init; }

    public ulong Cs { get; init; }

    public ulong Flags { get; init; }

    public ulong Rsp { get; init; }

    public ulong Ss { get; init; }

    /// <summary>Where the frame is: RSP in the handler.</summary>
    public ulong Frame { get; init; }

    /// <summary>RFLAGS in the handler.</summary>
    public ulong HandlerFlags { get; init; }

    public ushort HandlerCs { get; init; }

    public ushort HandlerSs { get; init; }

    public ulong Cr2 { get; init; }

    public ulong Dr6 { get; init; }

    public ulong Dr7 { get; init; }
}
