using Hyperlight.Abstractions;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What ends the running instruction early: an exception of the guest, or an exit to the host. The methods make one pending and return
/// <see langword="false"/>, which each caller returns in turn.</summary>
internal sealed class PendingEvent
{
    public PendingKind Kind { get; set; }
    public VmExit Exit { get; set; }
    public byte Vector { get; set; }
    public ulong ErrorCode { get; set; }

    /// <summary>Where a trap returns to.</summary>
    public ulong TrapRip { get; set; }

    /// <summary>EXT, for the error codes of what goes wrong while an exception is delivered.</summary>
    public ulong External { get; set; }

    /// <summary>The pending fault, if there is one, is an address that is not canonical.</summary>
    public bool IsAddressFault { get; set; }

    public bool Fault(byte vector, ulong errorCode)
    {
        Kind = PendingKind.Fault;
        Vector = vector;
        ErrorCode = errorCode | (vector is >= InvalidTss and <= GeneralProtection ? External : 0);
        IsAddressFault = false;
        return false;
    }

    /// <summary>A fault that a selector is the cause of.</summary>
    public bool SelectorFault(byte vector, ushort selector) => Fault(vector, selector & 0xFFFCUL);

    public bool Trap(byte vector, ulong returnTo, PendingKind kind = PendingKind.Trap)
    {
        Kind = kind;
        Vector = vector;
        ErrorCode = 0;
        TrapRip = returnTo;
        return false;
    }

    public bool ExitWith(in VmExit exit)
    {
        Kind = PendingKind.Exit;
        Exit = exit;
        return false;
    }

    public bool ExitBehind(in VmExit exit)
    {
        Kind = PendingKind.ExitBehind;
        Exit = exit;
        return false;
    }

    /// <summary>An address that is not canonical.</summary>
    public bool AddressFault()
    {
        Fault(GeneralProtection, 0);
        IsAddressFault = true;
        return false;
    }

    /// <summary>An address that is not canonical is a stack fault where the stack is used.</summary>
    public bool StackFault() => Kind == PendingKind.Fault && IsAddressFault && Fault(StackFaultVector, 0);
}
