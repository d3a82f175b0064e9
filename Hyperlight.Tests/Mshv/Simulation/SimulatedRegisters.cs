using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Mshv;

/// <summary>The registers of a processor by the hypervisor's names, for one hypercall. What was written is stored at its end.</summary>
internal sealed class SimulatedRegisters(SimulatedVp vp) : IDisposable
{
    public const uint FirstGeneral = 0x0002_0000;
    public const uint Rip = 0x0002_0010;
    public const uint Rflags = 0x0002_0011;

    private const int GeneralCount = 18;

    public const uint PendingInterruption = 0x0001_0002;
    private const uint Notifications = 0x0001_0006;

    public const uint InterruptState = 0x0001_0003;
    private const ulong InterruptNotification = 2;
    private const uint Xfem = 0x0004_0005;
    private const uint Efer = 0x0008_0001;
    private const uint ApicBase = 0x0008_0003;

    /// <summary>The hypervisor's names of the model-specific registers that the emulator has.</summary>
    private static readonly Dictionary<uint, uint> Msrs = new()
    {
        [0x0008_0000] = 0x10,
        [0x0008_0002] = 0xC000_0102,
        [0x0008_0004] = 0x277,
        [0x0008_0005] = 0x174,
        [0x0008_0006] = 0x176,
        [0x0008_0007] = 0x175,
        [0x0008_0008] = 0xC000_0081,
        [0x0008_0009] = 0xC000_0082,
        [0x0008_000A] = 0xC000_0083,
        [0x0008_000B] = 0xC000_0084,
        [0x0008_007B] = 0xC000_0103,
        [0x0008_0096] = 0x3B,
        [0x0008_00A0] = 0x1A0,
    };

    private GeneralRegisters _general;
    private SpecialRegisters _special;
    private DebugRegisters _debug;
    private Written _written;

    /// <summary>What has to be stored.</summary>
    [Flags]
    private enum Written
    {
        None = 0,
        Any = 1,
        General = 2,
        Special = 4,
        Debug = 8,
        Interrupts = 16,
    }

    /// <summary>Begins a hypercall.</summary>
    public void Load()
    {
        _general = vp.Machine.GetGeneralRegisters();
        _special = vp.Machine.GetSpecialRegisters();
        _debug = vp.Machine.GetDebugRegisters();
        _written = Written.None;
    }

    /// <summary>A segment register as the hypervisor lays it out.</summary>
    public static void WriteSegment(SegmentRegister segment, Span<byte> value)
    {
        MemoryMarshal.Write(value, segment.Base);
        MemoryMarshal.Write(value[8..], segment.Limit);
        MemoryMarshal.Write(value[12..], segment.Selector);
        MemoryMarshal.Write(value[14..], segment.Attributes);
    }

    /// <summary>Reads a register into 16 bytes.</summary>
    public bool TryRead(uint name, Span<byte> value)
    {
        value.Clear();
        if (SegmentOf(name) is { } segment)
        {
            WriteSegment(segment, value);
        }
        else if (name is 0x0007_0000 or 0x0007_0001)
        {
            DescriptorTableRegister table = name == 0x0007_0000 ? _special.Idtr : _special.Gdtr;
            MemoryMarshal.Write(value[6..], table.Limit);
            MemoryMarshal.Write(value[8..], table.Base);
        }
        else if (TryRead64(name, out ulong value64))
        {
            MemoryMarshal.Write(value, value64);
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Writes a register from 16 bytes.</summary>
    public bool TryWrite(uint name, ReadOnlySpan<byte> value)
    {
        _written |= Written.Any;
        if (SegmentOf(name) is not null)
        {
            _written |= Written.Special;
            SetSegment(name, new SegmentRegister
            {
                Base = MemoryMarshal.Read<ulong>(value),
                Limit = MemoryMarshal.Read<uint>(value[8..]),
                Selector = MemoryMarshal.Read<ushort>(value[12..]),
                Attributes = MemoryMarshal.Read<ushort>(value[14..]),
            });
            return true;
        }

        if (name is 0x0007_0000 or 0x0007_0001)
        {
            DescriptorTableRegister table = new()
            {
                Limit = MemoryMarshal.Read<ushort>(value[6..]),
                Base = MemoryMarshal.Read<ulong>(value[8..]),
            };
            _written |= Written.Special;
            (_special.Idtr, _special.Gdtr) = name == 0x0007_0000 ? (table, _special.Gdtr) : (_special.Idtr, table);
            return true;
        }

        return TryWrite64(name, MemoryMarshal.Read<ulong>(value));
    }

    /// <summary>Stores what was written. Whatever is not in the page any more makes it invalid.</summary>
    public void Dispose()
    {
        if ((_written & Written.General) != 0)
        {
            vp.Machine.SetGeneralRegisters(in _general);
        }

        if ((_written & Written.Special) != 0)
        {
            vp.Machine.SetSpecialRegisters(in _special);
        }

        if ((_written & Written.Debug) != 0)
        {
            vp.Machine.SetDebugRegisters(in _debug);
        }

        if ((_written & Written.Interrupts) != 0)
        {
            StoreInterrupts();
        }

        if (_written != Written.None)
        {
            vp.InvalidatePage();
        }
    }

    private void StoreInterrupts()
    {
        ulong pending = vp.Stored[PendingInterruption];
        if ((pending & 1) != 0 && !vp.Machine.TryInjectInterrupt((byte)(pending >> 16)))
        {
            vp.Partition.Kernel.Violations.Add("an interrupt was injected into a processor that cannot take it");
        }

        if ((vp.Notifications & InterruptNotification) != 0)
        {
            vp.Machine.WantWindow();
        }
    }

    private bool TryRead64(uint name, out ulong value)
    {
        if (name is >= FirstGeneral and <= Rflags)
        {
            Span<ulong> general = stackalloc ulong[GeneralCount];
            CopyGeneral(general);
            value = general[(int)(name - FirstGeneral)];
            return true;
        }

        if (Msrs.TryGetValue(name, out uint index))
        {
            Span<ModelSpecificRegister> register = [new(index)];
            vp.Machine.GetMsrs(register);
            value = register[0].Value;
            return true;
        }

        ulong? found = name switch
        {
            0x0004_0000 or 0x0004_1000 => _special.Cr0,
            0x0004_0001 => _special.Cr2,
            0x0004_0002 or 0x0004_1002 => _special.Cr3,
            0x0004_0003 or 0x0004_1003 => _special.Cr4,
            0x0004_0004 or 0x0004_1004 => _special.Cr8,
            Xfem => vp.Machine.GetXcr0(),
            0x0005_0000 => _debug.Dr0,
            0x0005_0001 => _debug.Dr1,
            0x0005_0002 => _debug.Dr2,
            0x0005_0003 => _debug.Dr3,
            0x0005_0004 => _debug.Dr6,
            0x0005_0005 => _debug.Dr7,
            Efer => _special.Efer,
            ApicBase => _special.ApicBase,
            Notifications => vp.Notifications,
            InterruptState => vp.Stored[InterruptState] | (vp.Machine.IsInShadow ? 1UL : 0),
            _ => vp.Stored.TryGetValue(name, out ulong stored) ? stored : null,
        };
        value = found.GetValueOrDefault();
        return found.HasValue;
    }

    private bool TryWrite64(uint name, ulong value)
    {
        if (name is >= FirstGeneral and <= Rflags)
        {
            Span<ulong> general = stackalloc ulong[GeneralCount];
            CopyGeneral(general);
            general[(int)(name - FirstGeneral)] = value;
            SetGeneral(general);
            _written |= Written.General;
            return true;
        }

        if (Msrs.TryGetValue(name, out uint index))
        {
            return TryWriteMsr(index, value);
        }

        _written |= name is >= 0x0005_0000 and <= 0x0005_0005 ? Written.Debug
            : name is (>= 0x0004_0000 and <= 0x0004_1004 and not Xfem) or Efer or ApicBase ? Written.Special
            : Written.None;
        switch (name)
        {
            case 0x0004_0000 or 0x0004_1000: _special.Cr0 = value; return true;
            case 0x0004_0001: _special.Cr2 = value; return true;
            case 0x0004_0002 or 0x0004_1002: _special.Cr3 = value; return true;
            case 0x0004_0003 or 0x0004_1003: _special.Cr4 = value; return true;
            case 0x0004_0004 or 0x0004_1004: _special.Cr8 = value; return true;
            case Xfem: return TryWriteXcr0(value);
            case 0x0005_0000: _debug.Dr0 = value; return true;
            case 0x0005_0001: _debug.Dr1 = value; return true;
            case 0x0005_0002: _debug.Dr2 = value; return true;
            case 0x0005_0003: _debug.Dr3 = value; return true;
            case 0x0005_0004: _debug.Dr6 = value; return true;
            case 0x0005_0005: _debug.Dr7 = value; return true;
            case Efer: _special.Efer = value; return true;
            case ApicBase: _special.ApicBase = value; return true;
            case Notifications:
                vp.Notifications = value;
                _written |= Written.Interrupts;
                return true;
        }

        if (!vp.Stored.ContainsKey(name) || vp.Partition.Kernel.Traits.ReadOnlyRegisters.Contains(name))
        {
            return false;
        }

        if (name == PendingInterruption && value == 0)
        {
            vp.Machine.DiscardPendingState();
        }

        vp.Stored[name] = value;
        _written |= name == PendingInterruption ? Written.Interrupts : Written.None;
        return true;
    }

    private void CopyGeneral(Span<ulong> values)
    {
        ReadOnlySpan<ulong> all =
        [
            _general.Rax, _general.Rcx, _general.Rdx, _general.Rbx, _general.Rsp, _general.Rbp, _general.Rsi, _general.Rdi,
            _general.R8, _general.R9, _general.R10, _general.R11, _general.R12, _general.R13, _general.R14, _general.R15,
            _general.Rip, _general.Rflags,
        ];
        all.CopyTo(values);
    }

    private void SetGeneral(ReadOnlySpan<ulong> values) => _general = new GeneralRegisters
    {
        Rax = values[0],
        Rcx = values[1],
        Rdx = values[2],
        Rbx = values[3],
        Rsp = values[4],
        Rbp = values[5],
        Rsi = values[6],
        Rdi = values[7],
        R8 = values[8],
        R9 = values[9],
        R10 = values[10],
        R11 = values[11],
        R12 = values[12],
        R13 = values[13],
        R14 = values[14],
        R15 = values[15],
        Rip = values[16],
        Rflags = values[17],
    };

    private SegmentRegister? SegmentOf(uint name) => name switch
    {
        0x0006_0000 => _special.Es,
        0x0006_0001 => _special.Cs,
        0x0006_0002 => _special.Ss,
        0x0006_0003 => _special.Ds,
        0x0006_0004 => _special.Fs,
        0x0006_0005 => _special.Gs,
        0x0006_0006 => _special.Ldtr,
        0x0006_0007 => _special.Tr,
        _ => null,
    };

    private void SetSegment(uint name, SegmentRegister value)
    {
        switch (name)
        {
            case 0x0006_0000: _special.Es = value; break;
            case 0x0006_0001: _special.Cs = value; break;
            case 0x0006_0002: _special.Ss = value; break;
            case 0x0006_0003: _special.Ds = value; break;
            case 0x0006_0004: _special.Fs = value; break;
            case 0x0006_0005: _special.Gs = value; break;
            case 0x0006_0006: _special.Ldtr = value; break;
            default: _special.Tr = value; break;
        }
    }

    private bool TryWriteMsr(uint index, ulong value)
    {
        try
        {
            vp.Machine.SetMsrs([new ModelSpecificRegister(index, value)]);
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }

    private bool TryWriteXcr0(ulong value)
    {
        try
        {
            vp.Machine.SetXcr0(value);
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }
}
