using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// The registers of a processor by the platform's names, for one call at a time: <see cref="Open"/>, reads or writes,
/// <see cref="Store"/>. Nothing is allocated.
/// </summary>
internal sealed class SimulatedRegisters
{
    public const uint ApicBase = 0x2003;

    private const uint FirstGeneral = 0;
    private const uint LastGeneral = 0x11;
    private const uint FirstSegment = 0x12;
    private const uint LastSegment = 0x19;
    private const uint Idtr = 0x1A;
    private const uint Gdtr = 0x1B;
    private const uint FirstDebug = 0x21;
    private const uint LastDebug = 0x26;
    private const uint Xcr0 = 0x27;
    private const uint Efer = 0x2001;
    private const uint PendingInterruption = 0x8000_0000;
    private const uint InterruptState = 0x8000_0001;
    private const uint Notifications = 0x8000_0004;
    private const ulong InterruptNotification = 2;

    /// <summary>The platform's names of the model-specific registers that the emulator has.</summary>
    private static readonly Dictionary<uint, uint> Msrs = new()
    {
        [0x2000] = 0x10,
        [0x2002] = 0xC000_0102,
        [0x2004] = 0x277,
        [0x2005] = 0x174,
        [0x2006] = 0x176,
        [0x2007] = 0x175,
        [0x2008] = 0xC000_0081,
        [0x2009] = 0xC000_0082,
        [0x200A] = 0xC000_0083,
        [0x200B] = 0xC000_0084,
        [0x207B] = 0xC000_0103,
        [0x2096] = 0x3B,
    };

    private readonly SimulatedPartition _partition;
    private readonly EmulatorVirtualMachine _machine;
    private readonly ModelSpecificRegister[] _one = new ModelSpecificRegister[1];

    /// <summary>Pending events, and registers that the emulator does not have.</summary>
    private readonly Dictionary<uint, ulong> _stored;

    private GeneralRegisters _general;
    private SpecialRegisters _special;
    private DebugRegisters _debug;
    private bool _hasGeneral;
    private bool _hasSpecial;
    private bool _hasDebug;
    private bool _discardsEvents;
    private bool _hasInterrupts;

    public SimulatedRegisters(SimulatedPartition partition, EmulatorVirtualMachine machine)
    {
        _partition = partition;
        _machine = machine;
        _stored = new(partition.Platform.Traits.FurtherRegisters);
        foreach (uint pending in new uint[] { PendingInterruption, InterruptState, 0x8000_0002, Notifications, 0x8000_0005, 0x8000_0006 })
        {
            if (!partition.Platform.Traits.MissingRegisters.Contains(pending))
            {
                _stored[pending] = 0;
            }
        }
    }

    /// <summary>A segment register as the platform lays it out.</summary>
    public static void WriteSegment(SegmentRegister segment, Span<byte> value)
    {
        MemoryMarshal.Write(value, segment.Base);
        MemoryMarshal.Write(value[8..], segment.Limit);
        MemoryMarshal.Write(value[12..], segment.Selector);
        MemoryMarshal.Write(value[14..], segment.Attributes);
    }

    /// <summary>Begins a call.</summary>
    public void Open()
    {
        _general = _machine.GetGeneralRegisters();
        _special = _machine.GetSpecialRegisters();
        _debug = _machine.GetDebugRegisters();
        _hasGeneral = _hasSpecial = _hasDebug = _discardsEvents = _hasInterrupts = false;
    }

    /// <summary>Ends a call that has written.</summary>
    public void Store()
    {
        if (_hasGeneral)
        {
            _machine.SetGeneralRegisters(in _general);
        }

        if (_hasSpecial)
        {
            _machine.SetSpecialRegisters(in _special);
        }

        if (_hasDebug)
        {
            _machine.SetDebugRegisters(in _debug);
        }

        if (_discardsEvents)
        {
            _machine.DiscardPendingState();
        }

        if (_hasInterrupts)
        {
            StoreInterrupts();
        }
    }

    /// <summary>The processor has run: what was pending is delivered.</summary>
    public void Leave(in VmExit exit)
    {
        Clear(PendingInterruption);
        if (exit.Reason == VmExitReason.InterruptWindow)
        {
            Clear(Notifications);
        }
    }

    private void Clear(uint name)
    {
        if (_stored.ContainsKey(name))
        {
            _stored[name] = 0;
        }
    }

    private void StoreInterrupts()
    {
        ulong pending = _stored.GetValueOrDefault(PendingInterruption);
        if ((pending & 1) != 0 && !_machine.TryInjectInterrupt((byte)(pending >> 16)))
        {
            _partition.Platform.Violations.Add("an interrupt was injected into a processor that cannot take it");
        }

        if ((_stored.GetValueOrDefault(Notifications) & InterruptNotification) != 0)
        {
            _machine.WantWindow();
        }
    }

    /// <summary>Whether the platform has a register.</summary>
    public bool Has(uint name) => name <= Xcr0 || name is Efer or ApicBase || Msrs.ContainsKey(name) || _stored.ContainsKey(name);

    /// <summary>Reads a register into 16 bytes.</summary>
    public void Read(uint name, Span<byte> value)
    {
        value.Clear();
        if (name is >= FirstSegment and <= LastSegment)
        {
            WriteSegment(Segment(name), value);
        }
        else if (name is Idtr or Gdtr)
        {
            DescriptorTableRegister table = name == Idtr ? _special.Idtr : _special.Gdtr;
            MemoryMarshal.Write(value[6..], table.Limit);
            MemoryMarshal.Write(value[8..], table.Base);
        }
        else
        {
            MemoryMarshal.Write(value, Read64(name));
        }
    }

    /// <summary>Writes a register from 16 bytes.</summary>
    public bool TryWrite(uint name, ReadOnlySpan<byte> value)
    {
        switch (name)
        {
            case >= FirstSegment and <= LastSegment:
                _hasSpecial = true;
                SetSegment(name, new SegmentRegister
                {
                    Base = MemoryMarshal.Read<ulong>(value),
                    Limit = MemoryMarshal.Read<uint>(value[8..]),
                    Selector = MemoryMarshal.Read<ushort>(value[12..]),
                    Attributes = MemoryMarshal.Read<ushort>(value[14..]),
                });
                return true;
            case Idtr or Gdtr:
                _hasSpecial = true;
                DescriptorTableRegister table = new()
                {
                    Limit = MemoryMarshal.Read<ushort>(value[6..]),
                    Base = MemoryMarshal.Read<ulong>(value[8..]),
                };
                (_special.Idtr, _special.Gdtr) = name == Idtr ? (table, _special.Gdtr) : (_special.Idtr, table);
                return true;
            default:
                return TryWrite64(name, MemoryMarshal.Read<ulong>(value));
        }
    }

    private ulong Read64(uint name)
    {
        if (Msrs.TryGetValue(name, out uint index))
        {
            _one[0] = new ModelSpecificRegister(index);
            _machine.GetMsrs(_one);
            return _one[0].Value;
        }

        return name switch
        {
            0x00 => _general.Rax,
            0x01 => _general.Rcx,
            0x02 => _general.Rdx,
            0x03 => _general.Rbx,
            0x04 => _general.Rsp,
            0x05 => _general.Rbp,
            0x06 => _general.Rsi,
            0x07 => _general.Rdi,
            0x08 => _general.R8,
            0x09 => _general.R9,
            0x0A => _general.R10,
            0x0B => _general.R11,
            0x0C => _general.R12,
            0x0D => _general.R13,
            0x0E => _general.R14,
            0x0F => _general.R15,
            0x10 => _general.Rip,
            0x11 => _general.Rflags,
            0x1C => _special.Cr0,
            0x1D => _special.Cr2,
            0x1E => _special.Cr3,
            0x1F => _special.Cr4,
            0x20 => _special.Cr8,
            0x21 => _debug.Dr0,
            0x22 => _debug.Dr1,
            0x23 => _debug.Dr2,
            0x24 => _debug.Dr3,
            0x25 => _debug.Dr6,
            0x26 => _debug.Dr7,
            Xcr0 => _machine.GetXcr0(),
            Efer => _special.Efer,
            ApicBase => _special.ApicBase,
            InterruptState => _machine.IsInShadow ? 1UL : 0,
            _ => _stored[name],
        };
    }

    private bool TryWrite64(uint name, ulong value)
    {
        _hasGeneral |= name is >= FirstGeneral and <= LastGeneral;
        _hasDebug |= name is >= FirstDebug and <= LastDebug;
        _hasSpecial |= name is (>= 0x1C and <= 0x20) or Efer or ApicBase;
        switch (name)
        {
            case 0x00: _general.Rax = value; return true;
            case 0x01: _general.Rcx = value; return true;
            case 0x02: _general.Rdx = value; return true;
            case 0x03: _general.Rbx = value; return true;
            case 0x04: _general.Rsp = value; return true;
            case 0x05: _general.Rbp = value; return true;
            case 0x06: _general.Rsi = value; return true;
            case 0x07: _general.Rdi = value; return true;
            case 0x08: _general.R8 = value; return true;
            case 0x09: _general.R9 = value; return true;
            case 0x0A: _general.R10 = value; return true;
            case 0x0B: _general.R11 = value; return true;
            case 0x0C: _general.R12 = value; return true;
            case 0x0D: _general.R13 = value; return true;
            case 0x0E: _general.R14 = value; return true;
            case 0x0F: _general.R15 = value; return true;
            case 0x10: _general.Rip = value; return true;
            case 0x11: _general.Rflags = value; return true;
            case 0x1C: _special.Cr0 = value; return true;
            case 0x1D: _special.Cr2 = value; return true;
            case 0x1E: _special.Cr3 = value; return true;
            case 0x1F: _special.Cr4 = value; return true;
            case 0x20: _special.Cr8 = value; return true;
            case 0x21: _debug.Dr0 = value; return true;
            case 0x22: _debug.Dr1 = value; return true;
            case 0x23: _debug.Dr2 = value; return true;
            case 0x24: _debug.Dr3 = value; return true;
            case 0x25: _debug.Dr6 = value; return true;
            case 0x26: _debug.Dr7 = value; return true;
            case Efer: _special.Efer = value; return true;
            case ApicBase: _special.ApicBase = value; return true;
            case Xcr0: return TrySetXcr0(value);
        }

        if (Msrs.TryGetValue(name, out uint index))
        {
            return TrySetMsr(index, value);
        }

        if (_partition.Platform.Traits.ReadOnlyRegisters.Contains(name))
        {
            return false;
        }

        _discardsEvents |= name == PendingInterruption && value == 0;
        _hasInterrupts |= (name == PendingInterruption && value != 0) || name == Notifications;
        _stored[name] = value;
        return true;
    }

    private bool TrySetXcr0(ulong value)
    {
        try
        {
            _machine.SetXcr0(value);
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }

    private bool TrySetMsr(uint index, ulong value)
    {
        try
        {
            _one[0] = new ModelSpecificRegister(index, value);
            _machine.SetMsrs(_one);
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }

    private SegmentRegister Segment(uint name) => (name - FirstSegment) switch
    {
        0 => _special.Es,
        1 => _special.Cs,
        2 => _special.Ss,
        3 => _special.Ds,
        4 => _special.Fs,
        5 => _special.Gs,
        6 => _special.Ldtr,
        _ => _special.Tr,
    };

    private void SetSegment(uint name, SegmentRegister value)
    {
        switch (name - FirstSegment)
        {
            case 0: _special.Es = value; break;
            case 1: _special.Cs = value; break;
            case 2: _special.Ss = value; break;
            case 3: _special.Ds = value; break;
            case 4: _special.Fs = value; break;
            case 5: _special.Gs = value; break;
            case 6: _special.Ldtr = value; break;
            default: _special.Tr = value; break;
        }
    }
}
