using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>A machine with one vCPU.</summary>
internal sealed class KvmVirtualMachine : IVirtualMachine, IInterruptInjector
{
    private readonly ILinuxKernel _kernel;
    private readonly KickSignal _kick;
    private readonly KvmVm _vm;
    private readonly KvmVcpu _vcpu;
    private readonly VcpuKicker _kicker;
    private readonly bool _keepsPageTables;

    private KvmVirtualMachine(ILinuxKernel kernel, KickSignal kick, KvmVm vm, KvmVcpu vcpu, bool keepsPageTables)
    {
        _keepsPageTables = keepsPageTables;
        _kernel = kernel;
        _kick = kick;
        _vm = vm;
        _vcpu = vcpu;
        _kicker = new VcpuKicker(kernel, kick, vm);
    }

    public int XsaveSize => _vcpu.XsaveSize;

    public uint? MemorySlotLimit => _vm.MemorySlots;

    /// <summary>Creates the machine and its vCPU.</summary>
    /// <param name="system">The device.</param>
    /// <param name="kick">The signal that ends a run.</param>
    /// <param name="options">What the machine is like.</param>
    /// <param name="keepsPageTables">Whether KVM has to be made to drop its copies of the guest's page tables: see <see cref="KvmBehaviour"/>.</param>
    /// <exception cref="GuestMsrException">KVM does not have a register that the policy adds; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">KVM refused; nothing is left behind.</exception>
    public static KvmVirtualMachine Create(KvmSystem system, KickSignal kick, in VirtualMachineOptions options, bool keepsPageTables)
    {
        KvmVm vm = system.CreateVm();
        try
        {
            vm.RestrictMsrs(options.Msrs);
            vm.EnableTripleFaultEvent();
            return new KvmVirtualMachine(system.Kernel, kick, vm, vm.CreateVcpu(in options), keepsPageTables);
        }
        catch
        {
            ReleaseFailures ignored = default;
            vm.Dispose(ref ignored);
            throw;
        }
    }

    public void MapMemory(uint slot, in GuestMapping mapping)
    {
        mapping.Validate();
        if ((mapping.Flags & MemoryFlags.Read) == 0)
        {
            throw new ArgumentException("KVM cannot map memory that the guest may not read.", nameof(mapping));
        }

        if (mapping.Region.Handle.IsInvalid || mapping.Region.Handle.DangerousGetHandle() == 0)
        {
            throw new ArgumentException("The region has no address in this process: it belongs to another driver.", nameof(mapping));
        }

        _vm.Map(slot, in mapping);
    }

    public void UnmapMemory(uint slot) => _vm.Unmap(slot);

    public VmExit Run()
    {
        int thread = VcpuThread.CurrentId(_kernel);
        using var blocked = new BlockedKick(_kernel, KvmHypervisor.DriverName, _kick);
        for (bool isAgain = false; _kicker.TryEnter(thread, isAgain); isAgain = true)
        {
            try
            {
                _vcpu.FinishFailedAccess();
                _vcpu.UseSignalMask(blocked.RunMask);
                int result = _vcpu.Run();
                bool wasForced = _kicker.WasForced();
                if (result >= 0)
                {
                    VmExit exit = KvmExitDecoder.Decode(_vcpu);
                    _vcpu.SettleExit();
                    if (!wasForced)
                    {
                        return exit;
                    }
                }
                else if (!wasForced && Interpret(result) is { } exit)
                {
                    return exit;
                }
            }
            finally
            {
                _kicker.Leave();
            }
        }

        return VmExit.Cancelled;
    }

    public void Cancel() => _kicker.Cancel();

    public void RequestExit() => _kicker.RequestExit();

    public bool TryInjectInterrupt(byte vector)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vector, IInterruptInjector.FirstVector);
        return _vcpu.TryInject(vector);
    }

    public GeneralRegisters GetGeneralRegisters() => _vcpu.GetGeneralRegisters();

    public void SetGeneralRegisters(in GeneralRegisters registers) => _vcpu.SetGeneralRegisters(in registers);

    public SpecialRegisters GetSpecialRegisters() => _vcpu.GetSpecialRegisters();

    public void SetSpecialRegisters(in SpecialRegisters registers)
    {
        if (_keepsPageTables && _vcpu.MayHoldTranslations)
        {
            _vm.DropPageTableCopies();
        }

        _vcpu.SetSpecialRegisters(in registers);
    }

    public FpuRegisters GetFpuRegisters() => _vcpu.GetFpuRegisters();

    public void SetFpuRegisters(in FpuRegisters registers) => _vcpu.SetFpuRegisters(in registers);

    public DebugRegisters GetDebugRegisters() => _vcpu.GetDebugRegisters();

    public void SetDebugRegisters(in DebugRegisters registers) => _vcpu.SetDebugRegisters(in registers);

    public void GetXsave(Span<byte> destination) => _vcpu.GetXsave(destination);

    public void SetXsave(ReadOnlySpan<byte> source) => _vcpu.SetXsave(source);

    public void GetMsrs(Span<ModelSpecificRegister> registers) => _vcpu.GetMsrs(registers);

    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers) => _vcpu.SetMsrs(registers);

    public ReadOnlyMemory<uint> GuestWritableMsrs => _vcpu.GuestWritableMsrs;

    public ulong GetXcr0() => _vcpu.GetXcr0();

    public void SetXcr0(ulong value) => _vcpu.SetXcr0(value);

    public void DiscardPendingState() => _vcpu.DiscardPendingState();

    /// <summary>What an error of KVM_RUN means: an exit, or that it has to be called again.</summary>
    /// <exception cref="HypervisorException">It is a failure.</exception>
    private VmExit? Interpret(int error)
    {
        switch (error)
        {
            case -Errno.EAGAIN:
                return null;
            case -Errno.EINTR:
                // Cancelled, which the next attempt to enter finds; or a signal with another purpose.
                if (!_kicker.IsCancelRequested)
                {
                    _kicker.DrainSignal();
                }

                return null;
            case -Errno.EFAULT or -Errno.EHWPOISON:
                return KvmExitDecoder.DecodeMemoryFault(_vcpu);
            default:
                throw KvmError.Create(error, nameof(KvmIoctls.KVM_RUN));
        }
    }

    /// <summary>Ends a run in progress, then gives everything back, in the kernel's order.</summary>
    public void Dispose()
    {
        if (!_kicker.Close())
        {
            return;
        }

        ReleaseFailures failures = default;
        _vcpu.Dispose(ref failures);
        _vm.Dispose(ref failures);
        failures.ThrowIfAny(KvmHypervisor.DriverName);
    }
}
