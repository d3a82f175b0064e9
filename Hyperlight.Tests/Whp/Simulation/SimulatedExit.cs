using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// WHV_RUN_VP_EXIT_CONTEXT, at the offsets of the public header. An exit leaves RIP at the instruction, and says nothing about
/// the data of an access but what is in RAX.
/// </summary>
internal readonly ref struct SimulatedExit(Span<byte> context, SimulatedProcessor processor)
{
    private const uint MemoryAccess = 1;
    private const uint IoPortAccess = 2;
    private const uint UnrecoverableException = 4;
    private const uint InvalidVpRegisterValue = 5;
    private const uint UnsupportedFeature = 6;
    private const uint InterruptWindow = 7;
    private const uint Halt = 8;
    private const uint Canceled = 0x2001;
    private const uint ReadAccess = 0;
    private const uint WriteAccess = 1;
    private const uint ExecuteAccess = 2;
    private const uint GpaUnmapped = 1 << 2;
    private const uint IsWrite = 1;
    private const uint IsString = 1 << 4;
    private const uint HasRepeat = 1 << 5;
    private const int Details = 48;

    private readonly Span<byte> _context = context;

    private Span<byte> Body => _context[Details..];

    public void WriteInvalidRegisters() => Begin(InvalidVpRegisterValue, 0);

    public void WriteCancelled() => Begin(Canceled, 0);

    public void Write(in VmExit exit)
    {
        switch (exit.Reason)
        {
            case VmExitReason.Halt:
                Begin(Halt, 1);
                break;
            case VmExitReason.InterruptWindow:
                Begin(InterruptWindow, 0);
                break;
            case VmExitReason.Shutdown:
                Begin(UnrecoverableException, 0);
                break;
            case VmExitReason.IoOut:
                WriteOut(in exit);
                break;
            case VmExitReason.IoIn:
                var instruction = SimulatedInstruction.Read(processor);
                WritePort(exit.Port, exit.AccessSize, instruction.IsStringIn ? IsString : 0, instruction);
                break;
            case VmExitReason.MmioRead:
                WriteMemory(exit.Address, ReadAccess);
                break;
            case VmExitReason.MmioWrite:
                WriteMemory(exit.Address, WriteAccess);
                break;
            case VmExitReason.AccessViolation:
                WriteMemory(exit.Address, (exit.Attempted & MemoryFlags.Execute) != 0 ? ExecuteAccess : ReadAccess);
                break;
            default:
                // What the emulator cannot execute, and a processor can: reported as what no driver takes for another thing.
                Begin(UnsupportedFeature, 0);
                break;
        }
    }

    /// <summary>The emulator is behind the instruction, or has done a part of it.</summary>
    private void WriteOut(in VmExit exit)
    {
        (ulong rip, bool isString) = processor.Machine.PortWrite;
        GeneralRegisters registers = processor.Machine.GetGeneralRegisters();
        bool repeats = isString && registers.Rip == rip;
        processor.Machine.SetGeneralRegisters(registers with { Rip = rip });
        var instruction = SimulatedInstruction.Read(processor);
        uint info = IsWrite;
        if (isString)
        {
            info |= IsString | (repeats ? HasRepeat : 0);
            ulong step = (registers.Rflags & 0x400) != 0 ? 0UL - exit.AccessSize : exit.AccessSize;
            ulong mask = instruction.AddressMask;
            processor.Machine.SetGeneralRegisters(registers with
            {
                Rip = rip,
                Rsi = (registers.Rsi - step) & mask,
                Rcx = repeats ? (registers.Rcx + 1) & mask : registers.Rcx,
            });
        }

        WritePort(exit.Port, exit.AccessSize, info, instruction);
    }

    private void WritePort(ushort port, byte size, uint info, SimulatedInstruction instruction)
    {
        Begin(IoPortAccess, instruction.Length);
        if (processor.Partition.Platform.Traits.GivesInstructionBytes)
        {
            Body[0] = (byte)instruction.Length;
            instruction.CopyTo(Body[4..20]);
        }

        MemoryMarshal.Write(Body[20..], info | ((uint)size << 1));
        MemoryMarshal.Write(Body[24..], port);
        GeneralRegisters registers = processor.Machine.GetGeneralRegisters();
        MemoryMarshal.Write(Body[32..], registers.Rax);
        MemoryMarshal.Write(Body[40..], registers.Rcx);
        MemoryMarshal.Write(Body[48..], registers.Rsi);
        MemoryMarshal.Write(Body[56..], registers.Rdi);
        SpecialRegisters special = processor.Machine.GetSpecialRegisters();
        SimulatedRegisters.WriteSegment(special.Ds, Body[64..]);
        SimulatedRegisters.WriteSegment(special.Es, Body[80..]);
    }

    private void WriteMemory(ulong address, uint access)
    {
        Begin(MemoryAccess, 0);
        MemoryMarshal.Write(Body[20..], access | (processor.Partition.IsMapped(address) ? 0 : GpaUnmapped));
        MemoryMarshal.Write(Body[24..], address);
    }

    private void Begin(uint reason, int instructionLength)
    {
        _context.Clear();
        MemoryMarshal.Write(_context, reason);
        GeneralRegisters registers = processor.Machine.GetGeneralRegisters();
        SpecialRegisters special = processor.Machine.GetSpecialRegisters();
        int state = special.Cs.PrivilegeLevel | (int)((special.Cr0 & 1) << 2) | ((special.Efer & 0x400) != 0 ? 1 << 4 : 0);
        MemoryMarshal.Write(_context[8..], (ushort)state);
        _context[10] = (byte)(instructionLength | (int)(special.Cr8 << 4));
        SimulatedRegisters.WriteSegment(special.Cs, _context[16..]);
        MemoryMarshal.Write(_context[32..], registers.Rip);
        MemoryMarshal.Write(_context[40..], registers.Rflags);
    }
}
