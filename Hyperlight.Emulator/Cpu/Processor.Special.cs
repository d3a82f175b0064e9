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

    /// <summary>How many instructions had been executed when the clock of a processor with a seed was zero.</summary>
    private long _clockStart;

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
            SetPrivilege(value.Ss.PrivilegeLevel);
            _tlb.FlushAll();
        }
    }

    /// <summary>Whether the registers put the processor into 64-bit mode, the only one it has.</summary>
    public bool IsInLongMode => (_cr0 & Cr0Required) == Cr0Required && (_efer & EferLongModeActive) != 0 && _cs.IsLong;

    private ulong TimeStamp => Clock + _tscOffset;

    /// <summary>
    /// The host's time, or with a seed the number of instructions executed since the last restart: see <see
    /// cref="ReadsClock"/>.
    /// </summary>
    private ulong Clock => seed is null ? (ulong)Stopwatch.GetTimestamp() : (ulong)(_executed - _clockStart);

    /// <summary>
    /// With a seed, begins time and random numbers again: those that the next guest reads do not tell how much the last one
    /// has executed and drawn.
    /// </summary>
    public void RestartSources()
    {
        _clockStart = _executed;
        _entropy.Restart();
    }
}
