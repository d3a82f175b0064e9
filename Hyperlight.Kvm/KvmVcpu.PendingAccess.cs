using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// KVM finishes an access that it reported by an exit only at the next entry: it moves RIP, stores what was read, reports
/// the rest of a wide access, goes on with a string instruction. Whatever the owner does between the two, such as resetting
/// memory and registers for another use of the machine, would suffer from it. So accesses are finished here, by entering
/// KVM but not the guest.
/// </summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>More entries than any one access takes: the widest is 64 bytes, in pieces of 8, read and written.</summary>
    private const int MostEntries = 32;

    /// <summary>Whether the last exit was an OUT that KVM may not have moved RIP beyond yet.</summary>
    private bool _isAtOut;
    private ulong _outRip;

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
            _isAtOut = true;
            _outRip = RunPage->Regs.Rip;
        }
        else if (RunPage->ExitReason is KvmRun.KVM_EXIT_IO or KvmRun.KVM_EXIT_MMIO)
        {
            GeneralRegisters registers = GetGeneralRegisters();

            // A string instruction goes on as long as RCX tells it to, which is up to the guest.
            SetGeneralRegisters(registers with { Rcx = 0 });
            EnterWithoutGuest();
            SetGeneralRegisters(in registers);
        }
    }

    /// <summary>Has KVM finish an OUT before RIP is set to that very instruction, which KVM would then skip.</summary>
    private void LeaveOut(ulong newRip)
    {
        // Without KVM_CAP_SYNC_REGS it is not known where the OUT is.
        if (_isAtOut && (!_syncRegs || _outRip == newRip))
        {
            EnterWithoutGuest();
        }
    }

    private void EnterWithoutGuest()
    {
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
            throw result < 0
                ? KvmError.Create(result, nameof(KvmIoctls.KVM_RUN))
                : new HypervisorException(
                    KvmHypervisor.DriverName, nameof(KvmIoctls.KVM_RUN), 0, "an access of the guest does not come to an end");
        }
    }
}
