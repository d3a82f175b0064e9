using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>CPUID, RDRAND and RDSEED.</summary>
internal sealed unsafe class ProcessorIdentification(
    ProcessorState* state,
    RegisterFile registers,
    byte physicalAddressBits,
    ulong? seed,
    Flags flags,
    Operands operands,
    ProcessorClock clock)
{
    public void Draw(ref MicroOp op)
    {
        operands.WriteRegister(op.DestinationRegister, op.Size, clock.Draw());
        flags.WriteArithmetic(FlagCarry);
    }

    public void Identify()
    {
        (uint eax, uint ebx, uint ecx, uint edx) = Cpuid.Read(
            (uint)registers[Rax], (uint)registers[Rcx], physicalAddressBits, (state->Control.Cr4 & Cr4OsXsave) != 0, seed is null);
        registers[Rax] = eax;
        registers[Rbx] = ebx;
        registers[Rcx] = ecx;
        registers[Rdx] = edx;
    }
}
