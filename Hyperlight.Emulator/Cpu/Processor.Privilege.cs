using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The current privilege level, and what it permits.</summary>
internal sealed partial class Processor
{
    /// <summary>Where a task state segment says where its I/O permission bitmap begins.</summary>
    private const int IoMapBaseOffset = 0x66;

    /// <summary>The CPL: the DPL of SS, which a null SS has too.</summary>
    private int _cpl;

    /// <summary>Memory is accessed with the rights of user mode.</summary>
    private bool _isUser;

    /// <summary>The processor itself accesses memory, not the instruction: SMAP holds whatever RFLAGS.AC is.</summary>
    private bool _isImplicit;

    private int IoPrivilegeLevel => (int)(_otherFlags >> 12) & 3;

    private void UseRightsOf(int level)
    {
        bool isUser = level == 3;
        if (isUser != _isUser)
        {
            _isUser = isUser;
            _tlb.Select(isUser);
        }
    }

    /// <summary>Changes the CPL, and what memory it can access.</summary>
    private void SetPrivilege(int level)
    {
        _cpl = level;
        UseRightsOf(level);
    }

    /// <summary>Loads from a descriptor table or the task state segment: with a supervisor's rights at any CPL.</summary>
    private bool LoadSystem(ulong address, int size, out ulong value)
    {
        UseRightsOf(0);
        _isImplicit = true;
        try
        {
            return Load(address, size, out value);
        }
        finally
        {
            _isImplicit = false;
            UseRightsOf(_cpl);
        }
    }

    private bool StoreSystem(ulong address, int size, ulong value)
    {
        UseRightsOf(0);
        _isImplicit = true;
        try
        {
            return Store(address, size, value);
        }
        finally
        {
            _isImplicit = false;
            UseRightsOf(_cpl);
        }
    }

    /// <summary>Whether an instruction is for CPL 0 alone.</summary>
    private static bool IsPrivileged(Op op) => op is Op.Hlt or Op.Lgdt or Op.Lidt or Op.Lldt or Op.Ltr or Op.Lmsw or Op.Clts
        or Op.MovFromControl or Op.MovToControl or Op.MovFromDebug or Op.MovToDebug or Op.Invlpg or Op.Wbinvd
        or Op.Rdmsr or Op.Wrmsr or Op.Swapgs;

    /// <summary>Whether UMIP hides from user mode what an instruction stores.</summary>
    private static bool IsHiddenByUmip(Op op) => op is Op.Sgdt or Op.Sidt or Op.Sldt or Op.Str or Op.Smsw;

    /// <summary>CLI and STI need as much privilege as IOPL says.</summary>
    private bool HasIoPrivilege() => _cpl <= IoPrivilegeLevel || Fault(GeneralProtection, 0);

    /// <summary>Whether the ports of an access are open: by IOPL, or by the bitmap of the task.</summary>
    private bool MayUsePort(ushort port, int size)
    {
        if (_cpl <= IoPrivilegeLevel)
        {
            return true;
        }

        if (_tr.Limit < IoMapBaseOffset + 1)
        {
            return Fault(GeneralProtection, 0);
        }

        if (!LoadSystem(_tr.Base + IoMapBaseOffset, 2, out ulong mapBase))
        {
            return false;
        }

        // Two bytes are read always, so that an access may cross from one into the next.
        ulong offset = mapBase + (ulong)(port / 8);
        if (offset + 1 > _tr.Limit)
        {
            return Fault(GeneralProtection, 0);
        }

        if (!LoadSystem(_tr.Base + offset, 2, out ulong bits))
        {
            return false;
        }

        return ((bits >> (port % 8)) & ((1UL << size) - 1)) == 0 || Fault(GeneralProtection, 0);
    }
}
