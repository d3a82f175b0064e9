using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Fast system calls and what belongs to them. SYSENTER and SYSEXIT do not exist in long mode on processors of AMD, and
/// CPUID does not report them here.
/// </summary>
internal sealed partial class Processor
{
    private const ulong EferSystemCalls = 1;
    private const ulong Cr4FsGsBase = 1 << 16;

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

    private bool ExecuteSystemCall(ref MicroOp op)
    {
        if ((_efer & EferSystemCalls) == 0)
        {
            return Fault(InvalidOpcode, 0);
        }

        ulong flags = ReadFlags() & ~FlagResume;
        int selector = (int)(_star >> 32) & 0xFFFC;
        _regs[Rcx] = op.NextRip;
        _regs[11] = flags;
        WriteFlags(flags & ~(_syscallMask | FlagResume));
        _cs = Flat(selector, 0, FlatCode);
        _ss = Flat((selector + 8) & 0xFFFF, 0, FlatData);
        _rip = _lstar;
        SetPrivilege(0);
        return true;
    }

    private bool ExecuteSystemReturn(ref MicroOp op)
    {
        if ((_efer & EferSystemCalls) == 0)
        {
            return Fault(InvalidOpcode, 0);
        }

        if (_cpl != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        if (op.Size != 8)
        {
            return ExitUnsupported(ref op);
        }

        // A return address that is not canonical faults at CPL 3, as on processors of AMD: it is no way to make the
        // kernel fault with the stack of its caller.
        int selector = (int)(_star >> 48);
        WriteFlags(_regs[11] & (ReturnedFlags | ArithmeticFlags));
        _cs = Flat(((selector + 16) & 0xFFFF) | 3, 3, FlatCode);
        _ss = Flat(((selector + 8) & 0xFFFF) | 3, 3, FlatData);
        _rip = _regs[Rcx];
        SetPrivilege(3);
        return true;
    }

    private void ExecuteSwapGs() => (_gs.Base, _kernelGsBase) = (_kernelGsBase, _gs.Base);

    /// <summary>RDFSBASE, RDGSBASE, WRFSBASE and WRGSBASE.</summary>
    private bool ExecuteSegmentBase(ref MicroOp op)
    {
        if ((_cr4 & Cr4FsGsBase) == 0)
        {
            return Fault(InvalidOpcode, 0);
        }

        ref SegmentRegister segment = ref op.Op is Op.Rdfsbase or Op.Wrfsbase ? ref _fs : ref _gs;
        if (op.Op is Op.Rdfsbase or Op.Rdgsbase)
        {
            WriteRegister(op.DestinationRegister, op.Size, segment.Base);
            return true;
        }

        ulong value = Truncate(_regs[op.DestinationRegister], op.Size);
        if (!IsCanonical(value))
        {
            return Fault(GeneralProtection, 0);
        }

        segment.Base = value;
        return true;
    }
}
