using Hyperlight.Benchmarks.Machines;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The floor of <see cref="ExitRoundTrip"/>: the same guest, and KVM_RUN alone.</summary>
internal sealed unsafe class BareExit : Scenario
{
    private readonly BareKvm _kvm = BareKvm.Open();
    private readonly BareMachine _machine;
    private readonly KvmRun* _runPage;
    private readonly int _runPageSize;

    public BareExit()
    {
        _machine = BareMachine.Create(_kvm);
        _runPageSize = BareLibC.Ioctl(_kvm.Device, KvmIoctls.KVM_GET_VCPU_MMAP_SIZE, 0);
        nint page = BareLibC.Map(
            0, (nuint)_runPageSize, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED, _machine.Vcpu, 0);
        _runPage = (KvmRun*)BareKvm.Check(page, "mmap of the run page");

        RegisterConversion.FromSpecial(ExitLoopGuest.SpecialRegisters, out KvmSregs sregs);
        BareKvm.Check(BareLibC.Ioctl(_machine.Vcpu, KvmIoctls.KVM_SET_SREGS, (nint)(&sregs)), nameof(KvmIoctls.KVM_SET_SREGS));
        RegisterConversion.FromGeneral(ExitLoopGuest.GeneralRegisters, out KvmRegs regs);
        BareKvm.Check(BareLibC.Ioctl(_machine.Vcpu, KvmIoctls.KVM_SET_REGS, (nint)(&regs)), nameof(KvmIoctls.KVM_SET_REGS));
    }

    public override void Run()
    {
        int result = BareLibC.Ioctl(_machine.Vcpu, KvmIoctls.KVM_RUN, 0);
        if (result < 0 || _runPage->ExitReason != KvmRun.KVM_EXIT_IO)
        {
            throw new InvalidOperationException(
                $"The guest did not leave by an OUT: KVM_RUN gave {result}, exit {_runPage->ExitReason}.");
        }
    }

    public override void Dispose()
    {
        _ = BareLibC.Unmap((nint)_runPage, (nuint)_runPageSize);
        _machine.Close();
        _kvm.Dispose();
    }
}
