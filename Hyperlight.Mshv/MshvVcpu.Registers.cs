using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// General and debug registers. General registers that are to be written wait here until the processor runs, and go through
/// the register page then, which costs no call. The page may become invalid at any call; a hypercall writes them then.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    private GeneralRegisters _pendingRegisters;
    private ulong _pendingRip;
    private Pending _pending;

    private enum Pending
    {
        Nothing,

        /// <summary>RIP alone.</summary>
        Rip,

        /// <summary>All general registers.</summary>
        All,
    }

    public GeneralRegisters GetGeneralRegisters()
    {
        ThrowIfDisposed();
        if (_pending == Pending.All)
        {
            return _pendingRegisters;
        }

        GeneralRegisters registers = ReadGeneralRegisters();
        return _pending == Pending.Rip ? registers with { Rip = _pendingRip } : registers;
    }

    public void SetGeneralRegisters(in GeneralRegisters registers)
    {
        ThrowIfDisposed();
        _pendingRegisters = registers;
        _pending = Pending.All;
    }

    public DebugRegisters GetDebugRegisters()
    {
        Span<HvRegisterAssoc> registers = stackalloc HvRegisterAssoc[DebugRegisterSet.Count];
        DebugRegisterSet.Name(registers);
        GetRegisters(registers);
        return DebugRegisterSet.Read(registers);
    }

    public void SetDebugRegisters(in DebugRegisters registers)
    {
        Span<HvRegisterAssoc> values = stackalloc HvRegisterAssoc[DebugRegisterSet.Count];
        DebugRegisterSet.Write(in registers, values);
        SetRegisters(values);
    }

    /// <summary>The processor continues behind an instruction that it was intercepted at.</summary>
    private void SkipInstruction(ulong nextRip)
    {
        _pendingRip = nextRip;
        _pending = Pending.Rip;
    }

    private GeneralRegisters ReadGeneralRegisters()
    {
        HvVpRegisterPage* page = ValidPage;
        if (page is not null)
        {
            return GeneralRegisterSet.Read(in *page);
        }

        Span<HvRegisterAssoc> registers = stackalloc HvRegisterAssoc[GeneralRegisterSet.Count];
        GeneralRegisterSet.Name(registers);
        GetRegisters(registers);
        return GeneralRegisterSet.Read(registers);
    }

    /// <summary>Writes what waits. What goes through the page waits further, until the processor has taken it.</summary>
    private void WritePendingRegisters()
    {
        if (_pending == Pending.Nothing)
        {
            return;
        }

        HvVpRegisterPage* page = ValidPage;
        if (page is not null)
        {
            WriteToPage(page);
            return;
        }

        if (_pending == Pending.Rip)
        {
            SetRegisters([Register(HvRegisterNames.HV_X64_REGISTER_RIP, _pendingRip)]);
        }
        else
        {
            Span<HvRegisterAssoc> registers = stackalloc HvRegisterAssoc[GeneralRegisterSet.Count];
            GeneralRegisterSet.Write(in _pendingRegisters, registers);
            SetRegisters(registers);
        }

        _pending = Pending.Nothing;
    }

    private void WriteToPage(HvVpRegisterPage* page)
    {
        if (_pending == Pending.Rip)
        {
            page->Rip = _pendingRip;
            page->Dirty |= HvVpRegisterPage.Ip;
        }
        else
        {
            GeneralRegisterSet.Write(in _pendingRegisters, ref *page);
            page->Dirty |= HvVpRegisterPage.General | HvVpRegisterPage.Ip | HvVpRegisterPage.Flags;
        }
    }

    /// <summary>Called after a run: forgets what was taken from the page.</summary>
    /// <param name="wasIntercepted">Whether the processor has run until an intercept.</param>
    private void NoteTakenRegisters(bool wasIntercepted)
    {
        // Interrupted before the guest was entered, the page is as it was written. Otherwise the hypervisor has taken it.
        HvVpRegisterPage* page = ValidPage;
        if (wasIntercepted || page is null || page->Dirty == 0)
        {
            _pending = Pending.Nothing;
        }
    }
}
