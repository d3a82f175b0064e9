using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// The intercept messages of the hypervisor, at the offsets of its headers. An intercept leaves RIP at the instruction, and
/// says nothing about the data of an access but what is in RAX.
/// </summary>
internal readonly ref struct SimulatedMessage(Span<byte> buffer, SimulatedVp vp)
{
    private const uint UnmappedGpa = 0x8000_0000;
    private const uint GpaIntercept = 0x8000_0001;
    private const uint InvalidVpRegisterValue = 0x8000_0020;
    private const uint UnrecoverableException = 0x8000_0021;
    private const uint IoPort = 0x8001_0000;
    private const uint Halt = 0x8001_0007;
    private const uint InterruptionDeliverable = 0x8001_0008;
    private const byte Read = 0;
    private const byte Written = 1;
    private const byte Execute = 2;
    private const int Payload = 16;
    private const int HeaderSize = 40;
    private const int MemorySize = 80;
    private const int IoSize = 128;
    private const byte StringAccess = 8;
    private const byte RepeatedAccess = 16;
    private const int LargestInstruction = 15;
    private const ulong ProtectionEnabled = 1;
    private const ulong LongModeActive = 1 << 10;

    private readonly Span<byte> _buffer = buffer;

    private Span<byte> Body => _buffer[Payload..];

    public void WriteInvalidRegisters() => Begin(InvalidVpRegisterValue, HeaderSize, Read, 0);

    public void Write(in VmExit exit)
    {
        switch (exit.Reason)
        {
            case VmExitReason.Halt:
                Begin(Halt, HeaderSize, Execute, 0);
                break;
            case VmExitReason.InterruptWindow:
                Begin(InterruptionDeliverable, HeaderSize, Execute, 0);
                break;
            case VmExitReason.Shutdown:
                Begin(UnrecoverableException, HeaderSize, Execute, 0);
                break;
            case VmExitReason.IoOut:
                WriteOut(in exit);
                break;
            case VmExitReason.IoIn:
                Begin(IoPort, IoSize, Read, 1);
                WritePort(in exit, 0);
                break;
            case VmExitReason.MmioRead:
                WriteMemory(exit.Address, Read);
                break;
            case VmExitReason.MmioWrite:
                WriteMemory(exit.Address, Written);
                break;
            case VmExitReason.AccessViolation:
                WriteMemory(exit.Address, (exit.Attempted & MemoryFlags.Execute) != 0 ? Execute : Read);
                break;
            default:
                // The emulator cannot execute an instruction; a processor could. Reported as what no driver takes for another thing.
                Begin(0x8000_0022, HeaderSize, Execute, 0);
                break;
        }
    }

    private void WriteOut(in VmExit exit)
    {
        // The emulator has executed the instruction, or an element of it.
        (ulong rip, bool isString) = vp.Machine.PortWrite;
        GeneralRegisters registers = vp.Machine.GetGeneralRegisters();
        ulong next = registers.Rip;
        registers.Rip = rip;
        bool isRepeated = false;
        if (isString)
        {
            (registers.Rsi, registers.Rcx, isRepeated) = vp.Machine.StringWrite;
        }

        vp.Machine.SetGeneralRegisters(in registers);
        // The length of a repeated instruction is not known here. Nobody has to use it.
        Begin(IoPort, IoSize, Written, (int)(next - rip));
        WritePort(in exit, (isString ? StringAccess : 0) | (isRepeated ? RepeatedAccess : 0));
        if (isString && vp.Partition.Kernel.Traits.GivesInstructionBytes)
        {
            Body[43] = (byte)vp.ReadCode(Body.Slice(56, LargestInstruction));
        }
    }

    private void WritePort(in VmExit exit, int access)
    {
        MemoryMarshal.Write(Body[40..], exit.Port);
        Body[42] = (byte)(exit.AccessSize | access);
        GeneralRegisters registers = vp.Machine.GetGeneralRegisters();
        SpecialRegisters special = vp.Machine.GetSpecialRegisters();
        MemoryMarshal.Write(Body[48..], registers.Rax);
        SimulatedRegisters.WriteSegment(special.Ds, Body[72..]);
        SimulatedRegisters.WriteSegment(special.Es, Body[88..]);
        MemoryMarshal.Write(Body[104..], registers.Rcx);
        MemoryMarshal.Write(Body[112..], registers.Rsi);
        MemoryMarshal.Write(Body[120..], registers.Rdi);
    }

    private void WriteMemory(ulong address, byte access)
    {
        Begin(vp.Partition.IsMapped(address) ? GpaIntercept : UnmappedGpa, MemorySize, access, 0);
        MemoryMarshal.Write(Body[56..], address);
    }

    private void Begin(uint type, int size, byte access, int instructionLength)
    {
        _buffer.Clear();
        MemoryMarshal.Write(_buffer, type);
        _buffer[4] = (byte)size;
        GeneralRegisters registers = vp.Machine.GetGeneralRegisters();
        SpecialRegisters special = vp.Machine.GetSpecialRegisters();
        Body[4] = (byte)(instructionLength | (int)(special.Cr8 << 4));
        Body[5] = access;
        MemoryMarshal.Write(Body[6..], ExecutionState(in special));
        SimulatedRegisters.WriteSegment(special.Cs, Body[8..]);
        MemoryMarshal.Write(Body[24..], registers.Rip);
        MemoryMarshal.Write(Body[32..], registers.Rflags);
    }

    /// <summary>CPL, CR0.PE and EFER.LMA.</summary>
    private static ushort ExecutionState(in SpecialRegisters special) => (ushort)(
        (special.Cs.Selector & 3)
        | ((special.Cr0 & ProtectionEnabled) != 0 ? 1 << 2 : 0)
        | ((special.Efer & LongModeActive) != 0 ? 1 << 4 : 0));
}
