using System.Diagnostics;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Control, segment, debug and model-specific registers.</summary>
internal sealed partial class Processor
{
    private const ulong Cr0WriteProtect = 1 << 16;
    private const ulong Cr4Global = 1 << 7;
    private const ulong Cr4Smep = 1 << 20;
    private const ulong Cr4Smap = 1 << 21;
    private const ulong EferNoExecute = 1 << 11;

    /// <summary>SCE, LME, LMA and NXE.</summary>
    private const ulong EferBits = 0xD01;
    private const ulong EferLongModeActive = 1 << 10;

    /// <summary>PE and PG: what this processor cannot do without.</summary>
    private const ulong Cr0Required = 0x8000_0001;

    private SegmentRegister _es, _cs, _ss, _ds, _fs, _gs, _tr, _ldtr;
    private DescriptorTableRegister _gdtr, _idtr;
    private ulong _cr0 = 0x6000_0010, _cr2, _cr3, _cr4, _cr8, _efer, _apicBase = 0xFEE0_0900;
    private ulong _dr0, _dr1, _dr2, _dr3, _dr6 = 0xFFFF_0FF0, _dr7 = 0x400;
    private ulong _kernelGsBase, _star, _lstar, _cstar, _syscallMask, _sysenterCs, _sysenterEsp, _sysenterEip, _tscAux;
    private ulong _pat = 0x0007_0406_0007_0406, _tscOffset;

    public SpecialRegisters Special
    {
        get => new()
        {
            Cs = _cs,
            Ds = _ds,
            Es = _es,
            Fs = _fs,
            Gs = _gs,
            Ss = _ss,
            Tr = _tr,
            Ldtr = _ldtr,
            Gdtr = _gdtr,
            Idtr = _idtr,
            Cr0 = _cr0,
            Cr2 = _cr2,
            Cr3 = _cr3,
            Cr4 = _cr4,
            Cr8 = _cr8,
            Efer = _efer,
            ApicBase = _apicBase,
        };
        set
        {
            (_cs, _ds, _es, _fs, _gs, _ss) = (value.Cs, value.Ds, value.Es, value.Fs, value.Gs, value.Ss);
            (_tr, _ldtr, _gdtr, _idtr) = (value.Tr, value.Ldtr, value.Gdtr, value.Idtr);
            (_cr0, _cr2, _cr3, _cr4, _cr8) = (value.Cr0, value.Cr2, value.Cr3, value.Cr4, value.Cr8);
            (_efer, _apicBase) = (value.Efer, value.ApicBase);
            _tlb.FlushAll();
        }
    }

    public DebugRegisters Debug
    {
        get => new() { Dr0 = _dr0, Dr1 = _dr1, Dr2 = _dr2, Dr3 = _dr3, Dr6 = _dr6, Dr7 = _dr7 };
        set => (_dr0, _dr1, _dr2, _dr3, _dr6, _dr7) =
            (value.Dr0, value.Dr1, value.Dr2, value.Dr3, value.Dr6, value.Dr7);
    }

    /// <summary>Whether the registers put the processor into 64-bit mode, the only one it has.</summary>
    public bool IsInLongMode => (_cr0 & Cr0Required) == Cr0Required && (_efer & EferLongModeActive) != 0 && _cs.IsLong;

    /// <summary>XCR0: there is no XSAVE, so it is that of a processor with x87 state alone.</summary>
    public const ulong Xcr0 = 1;

    /// <summary>The model-specific registers that a guest can change, but for those among the special registers and the clock.</summary>
    public static ReadOnlyMemory<uint> GuestWritableMsrs { get; } = new uint[]
    {
        0x3B, 0x174, 0x175, 0x176, 0x277, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102, 0xC000_0103,
    };

    private int Cpl => _cs.Selector & 3;

    private ulong TimeStamp => (ulong)Stopwatch.GetTimestamp() + _tscOffset;

    public bool TryReadMsr(uint index, out ulong value)
    {
        ulong? found = index switch
        {
            0x10 => TimeStamp,
            0x1B => _apicBase,
            0x3B => _tscOffset,
            0x174 => _sysenterCs,
            0x175 => _sysenterEsp,
            0x176 => _sysenterEip,
            0x277 => _pat,
            0xC000_0080 => _efer,
            0xC000_0081 => _star,
            0xC000_0082 => _lstar,
            0xC000_0083 => _cstar,
            0xC000_0084 => _syscallMask,
            0xC000_0100 => _fs.Base,
            0xC000_0101 => _gs.Base,
            0xC000_0102 => _kernelGsBase,
            0xC000_0103 => _tscAux,
            _ => null,
        };
        value = found.GetValueOrDefault();
        return found.HasValue;
    }

    public bool TryWriteMsr(uint index, ulong value)
    {
        switch (index)
        {
            case 0x175 or 0x176 or 0xC000_0082 or 0xC000_0083 or (>= 0xC000_0100 and <= 0xC000_0102) when !IsCanonical(value):
                return false;
            case 0x10: _tscOffset = value - (ulong)Stopwatch.GetTimestamp(); return true;
            case 0x1B: _apicBase = value; return true;
            case 0x3B: _tscOffset = value; return true;
            case 0x174: _sysenterCs = (uint)value; return true;
            case 0x175: _sysenterEsp = value; return true;
            case 0x176: _sysenterEip = value; return true;
            case 0x277: _pat = value; return true;
            case 0xC000_0080:
                // Long mode cannot be left while paging is on.
                if ((value & ~EferBits) != 0 || ((value ^ _efer) & 0x100) != 0)
                {
                    return false;
                }

                _efer = (value & ~EferLongModeActive) | (_efer & EferLongModeActive);
                _tlb.FlushAll();
                return true;
            case 0xC000_0081: _star = value; return true;
            case 0xC000_0082: _lstar = value; return true;
            case 0xC000_0083: _cstar = value; return true;
            case 0xC000_0084: _syscallMask = value; return true;
            case 0xC000_0100: _fs.Base = value; return true;
            case 0xC000_0101: _gs.Base = value; return true;
            case 0xC000_0102: _kernelGsBase = value; return true;
            case 0xC000_0103: _tscAux = (uint)value; return true;
            default: return false;
        }
    }
}
