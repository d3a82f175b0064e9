using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// KVM finishes an access that it reported by an exit only at the next entry: it moves RIP, stores what was read, reports
/// the rest of a wide access, goes on with a string instruction. Whatever the owner does between the two, such as resetting
/// memory and registers for another use of the machine, would suffer from it, and a read that KVM has completed but that the
/// instruction did not take would be handed to the next instruction that KVM emulates. So accesses are finished here, by
/// entering KVM but not the guest.
/// </summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>
    /// More entries than any one access takes: KVM reports at most 1024 bytes, in pieces of 8, for each of two operands.
    /// </summary>
    private const int MostEntries = 512;

    /// <summary>What KVM has not finished.</summary>
    private PendingAccess _pendingAccess;
    private ulong _outRip;

    private enum PendingAccess
    {
        None,

        /// <summary>An OUT that KVM may not have moved RIP beyond yet.</summary>
        Out,

        /// <summary>A read, a write of memory, or an IN.</summary>
        Unfinished,
    }

    /// <summary>
    /// Called at each exit, once it was decoded. Reads and wide writes are finished at once; the exit reports them as they
    /// were, and so do the registers. An OUT, the exit of every call, is left as it is: KVM only moves RIP, and only if it
    /// is still there.
    /// </summary>
    /// <exception cref="HypervisorException">KVM failed to finish the access.</exception>
    public void SettleExit()
    {
        if (RunPage->ExitReason == KvmRun.KVM_EXIT_IO && RunPage->Io.Direction == KvmRun.KVM_EXIT_IO_OUT)
        {
            _pendingAccess = PendingAccess.Out;
            _outRip = RunPage->Regs.Rip;
        }
        else if (RunPage->ExitReason is KvmRun.KVM_EXIT_IO or KvmRun.KVM_EXIT_MMIO)
        {
            _pendingAccess = PendingAccess.Unfinished;
            ClearPortData();
            FinishAccess();
        }
    }

    /// <summary>Has KVM finish what the guest left unfinished, if anything.</summary>
    /// <exception cref="HypervisorException">KVM failed to do so. The access is still unfinished, and this can be tried again.</exception>
    public void FinishAccess()
    {
        if (_pendingAccess == PendingAccess.Out)
        {
            EnterWithoutGuest();
        }
        else if (_pendingAccess == PendingAccess.Unfinished)
        {
            // A string instruction goes on as long as RCX tells it to, which is up to the guest. It must not stop before it
            // has taken what was read, either: so it is at its last element. No other instruction minds, as KVM has
            // decoded its operands, and the registers are put back.
            GeneralRegisters registers = GetGeneralRegisters();
            SetGeneralRegisters(registers with { Rcx = 1 });
            EnterWithoutGuest();

            // Which also drops an exception that the rest of the access has raised, and does so at once: when the debug registers are read, KVM
            // changes DR6 for an exception that is pending.
            WriteGeneralRegisters(in registers);
        }
    }

    /// <summary>Has KVM finish what it failed to finish at the exit, before the guest is entered again.</summary>
    /// <inheritdoc cref="FinishAccess"/>
    public void FinishFailedAccess()
    {
        if (_pendingAccess == PendingAccess.Unfinished)
        {
            FinishAccess();
        }
    }

    /// <summary>Has KVM finish an OUT before RIP is set to that very instruction, which KVM would then skip.</summary>
    private void LeaveOut(ulong newRip)
    {
        // Without KVM_CAP_SYNC_REGS it is not known where the OUT is.
        if (_pendingAccess == PendingAccess.Out && (!_syncRegs || _outRip == newRip))
        {
            EnterWithoutGuest();
        }
    }

    /// <summary>What an IN reads: the data of earlier port accesses are still there.</summary>
    private void ClearPortData()
    {
        KvmRunIo io = RunPage->Io;
        if (RunPage->ExitReason == KvmRun.KVM_EXIT_IO && io.DataOffset < (ulong)RunPageSize)
        {
            ulong length = Math.Min((ulong)io.Size * io.Count, (ulong)RunPageSize - io.DataOffset);

            // SAFETY: the data lies in the mapping, which was just checked.
            new Span<byte>((byte*)RunPage + io.DataOffset, (int)length).Clear();
        }
    }

    private void EnterWithoutGuest()
    {
        PendingAccess pending = _pendingAccess;
        RunPage->ImmediateExit = 1;
        int result = 0;
        for (int i = 0; i < MostEntries && result == 0; i++)
        {
            RunPage->Mmio.Data = 0;
            result = Run();
        }

        RunPage->ImmediateExit = 0;
        if (result != -Errno.EINTR)
        {
            _pendingAccess = pending;
            throw result < 0
                ? KvmError.Create(result, nameof(KvmIoctls.KVM_RUN))
                : new HypervisorException(
                    KvmHypervisor.DriverName, nameof(KvmIoctls.KVM_RUN), 0, "an access of the guest does not come to an end");
        }
    }
}
