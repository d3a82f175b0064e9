using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>A partition with one virtual processor.</summary>
internal sealed class WhpVirtualMachine : IVirtualMachine, IRegisterBatch, IInterruptInjector
{
    private readonly WhpSystem _system;
    private readonly WhpPartition _partition;
    private readonly WhpVcpu _vcpu;
    private readonly WhpCanceller _canceller;

    private WhpVirtualMachine(WhpSystem system, WhpPartition partition, WhpVcpu vcpu)
    {
        _system = system;
        _partition = partition;
        _vcpu = vcpu;
        _canceller = new WhpCanceller(partition);
    }

    public int XsaveSize => _vcpu.XsaveSize;

    public uint? MemorySlotLimit => null;

    /// <summary>Creates the partition and its virtual processor.</summary>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">The platform refused; nothing is left behind.</exception>
    public static WhpVirtualMachine Create(WhpSystem system, in VirtualMachineOptions options)
    {
        WhpPartition partition = WhpPartition.Create(system, options.PhysicalAddressBits);
        try
        {
            return new WhpVirtualMachine(system, partition, WhpVcpu.Create(system, partition, options.Msrs));
        }
        catch
        {
            ReleaseFailures ignored = default;
            partition.Dispose(ref ignored);
            throw;
        }
    }

    public void MapMemory(uint slot, in GuestMapping mapping)
    {
        mapping.Validate();
        if ((mapping.Flags & MemoryFlags.Read) == 0)
        {
            throw new ArgumentException("WHP cannot map memory that the guest may not read.", nameof(mapping));
        }

        if (mapping.Region.Handle.IsInvalid || mapping.Region.Handle.DangerousGetHandle() == 0)
        {
            throw new ArgumentException("The region has no address in this process: it belongs to another driver.", nameof(mapping));
        }

        _partition.Map(slot, in mapping);
    }

    public void UnmapMemory(uint slot) => _partition.Unmap(slot);

    public VmExit Run()
    {
        while (_canceller.TryEnter())
        {
            try
            {
                VmExit exit = _vcpu.Run();
                if (exit.Reason != VmExitReason.Cancelled)
                {
                    return exit;
                }

                // The next attempt to enter takes the request. Without one, an earlier exit has overtaken the cancellation.
                if (!_canceller.IsCancelRequested)
                {
                    _system.CountStaleCancellation();
                }
            }
            finally
            {
                _canceller.Leave();
            }
        }

        return VmExit.Cancelled;
    }

    public void Cancel() => _canceller.Cancel();

    public void RequestExit() => _canceller.Cancel();

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

    public void BeginRegisterBatch() => _vcpu.BeginBatch();

    public void EndRegisterBatch() => _vcpu.EndBatch();

    /// <summary>Ends a run in progress, then gives everything back, in the platform's order.</summary>
    public void Dispose()
    {
        if (!_canceller.Close())
        {
            return;
        }

        ReleaseFailures failures = default;
        _vcpu.Dispose();
        _partition.Dispose(ref failures);
        failures.ThrowIfAny();
    }
}
