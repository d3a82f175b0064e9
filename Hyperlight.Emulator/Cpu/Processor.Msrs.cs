
namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Model-specific registers. One that is not here or that the policy denies, or a value with reserved bits, is #GP to the
/// guest.
/// </summary>
internal sealed partial class Processor
{
    private const uint ApicBase = 0x1B;
    private const uint MiscEnable = 0x1A0;

    /// <summary>Bits 0 to 7 and 9, and the x2APIC mode, which CPUID does not report.</summary>
    private const ulong ApicBaseReserved = 0x6FF;

    /// <summary>The one bit of IA32_MISC_ENABLE that says something about this processor.</summary>
    private const ulong FastStrings = 1;

    private ulong _miscEnable = FastStrings;

    private bool ExecuteRdmsr()
    {
        var index = (uint)_regs[Rcx];
        if (!(options.PermitsAllMsrs || msrPolicy.MayRead(index)) || !TryReadMsr(index, out ulong value))
        {
            return Fault(GeneralProtection, 0);
        }

        WriteWide(value);
        return true;
    }

    private bool ExecuteWrmsr()
    {
        var index = (uint)_regs[Rcx];
        return ((options.PermitsAllMsrs ? !options.ReadOnlyMsrs.Contains(index) : msrPolicy.MayWrite(index)) && TryWriteMsr(index, (uint)_regs[Rax] | (_regs[Rdx] << 32)))
            || Fault(GeneralProtection, 0);
    }

    public bool TryReadMsr(uint index, out ulong value)
    {
        ulong? found = index switch
        {
            0x10 => TimeStamp,
            ApicBase => _apicBase,
            0x3B => _tscOffset,
            MiscEnable => _miscEnable,
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
            case 0x10: _tscOffset = value - Clock; return true;
            case ApicBase when (value & (_reservedAddressBits | 0xFFF0_0000_0000_0000 | ApicBaseReserved)) == 0:
                _apicBase = value;
                return true;
            case 0x3B: _tscOffset = value; return true;
            case 0x174: _sysenterCs = (uint)value; return true;
            case 0x175: _sysenterEsp = value; return true;
            case 0x176: _sysenterEip = value; return true;
            case 0x277 when IsMemoryTypes(value): _pat = value; return true;
            case MiscEnable when (value & ~FastStrings) == 0: _miscEnable = value; return true;
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

    /// <summary>Whether each byte of a PAT is a memory type: UC, WC, WT, WP, WB or UC-.</summary>
    private static bool IsMemoryTypes(ulong value)
    {
        for (int i = 0; i < 64; i += 8)
        {
            if ((value >> i & 0xFF) is not (0 or 1 or (>= 4 and <= 7)))
            {
                return false;
            }
        }

        return true;
    }
}
