namespace Hyperlight.Emulator.Cpu;

/// <summary>What is pending in a <see cref="PendingEvent"/>.</summary>
internal enum PendingKind
{
    None,

    /// <summary>A fault: RIP stays at the instruction.</summary>
    Fault,

    /// <summary>A trap: RIP is behind the instruction.</summary>
    Trap,

    /// <summary>INT n or INT3: a trap that the gate must permit to the CPL.</summary>
    Interrupt,

    /// <summary>An exit with RIP at the instruction, which is executed again.</summary>
    Exit,

    /// <summary>An exit with RIP behind the instruction.</summary>
    ExitBehind,
}
