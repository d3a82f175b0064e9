using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.DebugBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>MOV from and to debug registers.</summary>
internal sealed unsafe class DebugInstructions(
    ProcessorState* state,
    RegisterFile registers,
    PendingEvent pending,
    Breakpoints breakpoints,
    DebugException exception)
{
    /// <summary>Whether a debug register can be accessed, and which it is.</summary>
    private bool FindRegister(ref int register)
    {
        bool isAlias = register is 4 or 5;
        if (register > 7 || (isAlias && (state->Control.Cr4 & Cr4DebuggingExtensions) != 0))
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        if ((state->Debug.Dr7 & Dr7GeneralDetect) != 0)
        {
            return exception.Raise(PendingKind.Fault, Dr6AccessDetected);
        }

        register += isAlias ? 2 : 0;
        return true;
    }

    public bool Read(ref MicroOp op)
    {
        int register = op.SourceRegister;
        if (!FindRegister(ref register))
        {
            return false;
        }

        registers[op.DestinationRegister] = register switch { < 4 => breakpoints.AddressOf(register), 6 => state->Debug.Dr6, _ => state->Debug.Dr7 };
        return true;
    }

    public bool Write(int register, ulong value)
    {
        if (!FindRegister(ref register))
        {
            return false;
        }

        if (register >= 6 && value >> 32 != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        switch (register)
        {
            case 0: state->Debug.Dr0 = value; break;
            case 1: state->Debug.Dr1 = value; break;
            case 2: state->Debug.Dr2 = value; break;
            case 3: state->Debug.Dr3 = value; break;
            case 6: state->Debug.Dr6 = (value & Dr6Bits) | Dr6Fixed; break;
            default: breakpoints.SetControl((value & 0xFFFF_2BFF) | 0x400); break;
        }

        return true;
    }
}
