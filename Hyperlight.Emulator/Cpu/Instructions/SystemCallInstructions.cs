using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Fast system calls and what belongs to them. SYSENTER and SYSEXIT do not exist in long mode on processors of AMD, and
/// CPUID does not report them here.
/// </summary>
internal sealed unsafe class SystemCallInstructions(
    ProcessorState* state,
    RegisterFile registers,
    Flags flags,
    PendingEvent pending,
    PrivilegeLevel privilege,
    Operands operands,
    UnsupportedInstructions unsupported)
{
    /// <summary>Present 64-bit code, execute and read, accessed, with the limit of a flat segment.</summary>
    private const ushort FlatCode = 0xA09B;

    /// <summary>Present data, read and write, accessed, flat and of 32 bits.</summary>
    private const ushort FlatData = 0xC093;

    /// <summary>RFLAGS that SYSRET takes from R11: all that exist but RF and VM.</summary>
    private const ulong ReturnedFlags = OtherFlags & ~FlagResume;

    private static SegmentRegister Flat(int selector, int level, ushort attributes) => new()
    {
        Selector = (ushort)selector,
        Limit = uint.MaxValue,
        Attributes = (ushort)(attributes | (level << 5)),
    };

    public bool Call(ref MicroOp op)
    {
        if ((state->Control.Efer & EferSystemCalls) == 0)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        ulong saved = flags.Read() & ~FlagResume;
        int selector = (int)(state->Msrs.Star >> 32) & 0xFFFC;
        registers[Rcx] = op.NextRip;
        registers[11] = saved;
        flags.Write(saved & ~(state->Msrs.SyscallMask | FlagResume));
        state->Segments.Cs = Flat(selector, 0, FlatCode);
        state->Segments.Ss = Flat((selector + 8) & 0xFFFF, 0, FlatData);
        state->Rip = state->Msrs.Lstar;
        privilege.Set(0);
        return true;
    }

    public bool Return(ref MicroOp op)
    {
        if ((state->Control.Efer & EferSystemCalls) == 0)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        if (state->Segments.Cpl != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        if (op.Size != 8)
        {
            return unsupported.Exit(ref op);
        }

        // A return address that is not canonical faults at CPL 3, as on processors of AMD: it is no way to make the
        // kernel fault with the stack of its caller.
        int selector = (int)(state->Msrs.Star >> 48);
        flags.Write(registers[11] & (ReturnedFlags | ArithmeticFlags));
        state->Segments.Cs = Flat(((selector + 16) & 0xFFFF) | 3, 3, FlatCode);
        state->Segments.Ss = Flat(((selector + 8) & 0xFFFF) | 3, 3, FlatData);
        state->Rip = registers[Rcx];
        privilege.Set(3);
        return true;
    }

    public void SwapGs() => (state->Segments.Gs.Base, state->Msrs.KernelGsBase) = (state->Msrs.KernelGsBase, state->Segments.Gs.Base);

    /// <summary>RDFSBASE, RDGSBASE, WRFSBASE and WRGSBASE.</summary>
    public bool AccessBase(ref MicroOp op)
    {
        if ((state->Control.Cr4 & Cr4FsGsBase) == 0)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        ref SegmentRegister segment = ref op.Op is Op.Rdfsbase or Op.Wrfsbase ? ref state->Segments.Fs : ref state->Segments.Gs;
        if (op.Op is Op.Rdfsbase or Op.Rdgsbase)
        {
            operands.WriteRegister(op.DestinationRegister, op.Size, segment.Base);
            return true;
        }

        ulong value = SizedInteger.Truncate(registers[op.DestinationRegister], op.Size);
        if (!LinearAddress.IsCanonical(value))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        segment.Base = value;
        return true;
    }
}
