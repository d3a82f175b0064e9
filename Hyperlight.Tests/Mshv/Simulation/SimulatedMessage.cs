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
    private const byte Read = 0;
    private const byte Written = 1;
    private const byte Execute = 2;
    private const int Payload = 16;
    private const int HeaderSize = 40;
    private const int MemorySize = 80;
    private const int IoSize = 128;
    private const byte StringAccess = 8;

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
            case VmExitReason.Shutdown:
                Begin(UnrecoverableException, HeaderSize, Execute, 0);
                break;
            case VmExitReason.IoOut:
                WriteOut(in exit);
                break;
            case VmExitReason.IoIn:
                Begin(IoPort, IoSize, Read, 1);
                WritePort(in exit, isString: false);
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
        // The emulator is behind the instruction.
        (ulong rip, bool isString) = vp.Machine.PortWrite;
        GeneralRegisters registers = vp.Machine.GetGeneralRegisters();
        var length = (int)(registers.Rip - rip);
        vp.Machine.SetGeneralRegisters(registers with { Rip = rip });
        Begin(IoPort, IoSize, Written, length);
        WritePort(in exit, isString);
    }

    private void WritePort(in VmExit exit, bool isString)
    {
        MemoryMarshal.Write(Body[40..], exit.Port);
        Body[42] = (byte)(exit.AccessSize | (isString ? StringAccess : 0));
        GeneralRegisters registers = vp.Machine.GetGeneralRegisters();
        MemoryMarshal.Write(Body[48..], registers.Rax);
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
        SimulatedRegisters.WriteSegment(special.Cs, Body[8..]);
        MemoryMarshal.Write(Body[24..], registers.Rip);
        MemoryMarshal.Write(Body[32..], registers.Rflags);
    }
}
