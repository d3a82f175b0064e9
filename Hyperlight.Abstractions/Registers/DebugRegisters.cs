namespace Hyperlight.Abstractions;

/// <summary>The debug registers of a vCPU.</summary>
public record struct DebugRegisters
{
    /// <summary>DR0, a breakpoint address.</summary>
    public ulong Dr0 { get; set; }

    /// <summary>DR1, a breakpoint address.</summary>
    public ulong Dr1 { get; set; }

    /// <summary>DR2, a breakpoint address.</summary>
    public ulong Dr2 { get; set; }

    /// <summary>DR3, a breakpoint address.</summary>
    public ulong Dr3 { get; set; }

    /// <summary>DR6, the debug status.</summary>
    public ulong Dr6 { get; set; }

    /// <summary>DR7, the debug control.</summary>
    public ulong Dr7 { get; set; }
}
