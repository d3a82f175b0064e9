using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>A partition with one virtual processor.</summary>
internal sealed class MshvVirtualMachine : IVirtualMachine, IRegisterBatch, IInterruptInjector
{
    private readonly ILinuxKernel _kernel;
    private readonly MshvVm _vm;
    private readonly MshvVcpu _vcpu;
    private readonly VcpuKicker _kicker;

    private MshvVirtualMachine(ILinuxKernel kernel, KickSignal kick, MshvVm vm, MshvVcpu vcpu)
    {
        _kernel = kernel;
        _vm = vm;
        _vcpu = vcpu;
        _kicker = new VcpuKicker(kernel, kick, vm, signalMayBeMissed: true);
    }

    public int XsaveSize => _vcpu.XsaveSize;

    public uint? MemorySlotLimit => null;

    /// <summary>Creates the partition and its virtual processor.</summary>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">The kernel refused; nothing is left behind.</exception>
    public static MshvVirtualMachine Create(MshvSystem system, KickSignal kick, in VirtualMachineOptions options)
    {
        ReleaseFailures ignored = default;
        MshvVm vm = system.CreateVm();
        MshvVcpu? vcpu = null;
        try
        {
            vm.Initialize(options.PhysicalAddressBits);
            vcpu = vm.CreateVcpu();
            vcpu.CheckAdditionalMsrs(options.Msrs);
            return new MshvVirtualMachine(system.Kernel, kick, vm, vcpu);
        }
        catch
        {
            vcpu?.Dispose(ref ignored);
            vm.Dispose(ref ignored);
            throw;
        }
    }

    public void MapMemory(uint slot, in GuestMapping mapping)
    {
        mapping.Validate();
        if ((mapping.Flags & MemoryFlags.Read) == 0)
        {
            throw new ArgumentException("MSHV cannot map memory that the guest may not read.", nameof(mapping));
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
        for (bool isAgain = false; _kicker.TryEnter(thread, isAgain); isAgain = true)
        {
            try
            {
                int result = _vcpu.Run(out VmExit exit);

                // Without its memory a guest leaves for reasons that are not its own.
                bool wasForced = _kicker.WasForced();
                if (result >= 0 && !wasForced)
                {
                    return exit;
                }

                // EINTR: cancelled, which the next attempt to enter finds; or a signal that meant someone else.
                if (result < 0 && !wasForced && result is not (-Errno.EINTR or -Errno.EAGAIN))
                {
                    throw MshvError.Create(result, nameof(MshvIoctls.MSHV_RUN_VP));
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

    public void SetSpecialRegisters(in SpecialRegisters registers) => _vcpu.SetSpecialRegisters(in registers);

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

    /// <inheritdoc/>
    public void BeginRegisterBatch() => _vcpu.BeginBatch();

    /// <inheritdoc/>
    public void EndRegisterBatch() => _vcpu.EndBatch();

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
        failures.ThrowIfAny(MshvHypervisor.DriverName);
    }
}
