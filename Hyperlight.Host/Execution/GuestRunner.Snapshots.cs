using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots;

namespace Hyperlight.Host.Execution;

/// <summary>Capturing a guest between two calls, and putting its virtual machine back to where it was captured.</summary>
internal sealed partial class GuestRunner
{
    private const ulong ZeroFlag = 1 << 6;

    private bool _isImageMapped = true;

    /// <summary>Whether the guest has to flush its TLB, which it learns of at the next call.</summary>
    private bool _isFlushPending;

    private GeneralRegisters DispatchRegisters
    {
        get
        {
            GeneralRegisters registers = InitialRegisters.Dispatch(_dispatchAddress, _stackPointer);
            return _isFlushPending ? registers with { Rflags = registers.Rflags | ZeroFlag } : registers;
        }
    }

    /// <summary>Captures what the guest has mapped.</summary>
    /// <inheritdoc cref="SnapshotCapture.Capture"/>
    /// <exception cref="ExecutionCanceledException">The operation was asked to end.</exception>
    public GuestImage CaptureMemory(IHypervisor hypervisor, ulong generation, out int unresolvedLeaves) =>
        SnapshotCapture.Capture(
            hypervisor,
            _memory,
            Mappings.Regions,
            _machine.GetSpecialRegisters().Cr3,
            generation,
            Interrupts.ThrowIfRequested,
            out unresolvedLeaves);

    /// <summary>Captures the vCPU.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    public ProcessorState CaptureProcessor() => _processor.Capture(_dispatchAddress, _stackPointer);

    /// <summary>Finds out whether the vCPU can be put where a snapshot says. Changes nothing.</summary>
    /// <exception cref="SnapshotMismatchException">It cannot.</exception>
    public void CheckProcessor(ProcessorState state) => _processor.Prepare(state);

    /// <summary>
    /// Puts the guest where a snapshot says, whatever it has done since and wherever it stopped. If this throws, it can be
    /// tried again, but nothing else can be done with the guest.
    /// </summary>
    /// <param name="image">An image of the same layout.</param>
    /// <param name="state">The vCPU.</param>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    /// <exception cref="SnapshotMismatchException">The state is not one of this hypervisor.</exception>
    public void Restore(GuestImage image, ProcessorState state)
    {
        // First, so that a larger image finds its addresses free.
        Mappings.UnmapForRestore();
        UseImage(image);
        _writeTracker?.ClearWritten(ScratchSlot);
        _memory.ResetScratch(guestWritesCleared: _writeTracker is not null);
        StartFrom(state);
    }

    /// <summary>Puts the vCPU where a snapshot says, for memory that was made from that snapshot.</summary>
    /// <inheritdoc cref="Restore"/>
    public void StartFrom(ProcessorState state)
    {
        _memory.RequestReseeding(_seed.AfterRestore());

        // The snapshot has the level of the sandbox that it was taken of.
        _memory.SetLogLevel(_logLevel);

        // The page tables changed under the processor. The guest is asked to flush: not every hypervisor can be.
        _isFlushPending = true;
        _processor.Apply(state, _memory.Layout.PageTableAddress);
        UseDispatcher(state.DispatchAddress, state.StackPointer);
    }

    private void UseDispatcher(ulong address, ulong stackPointer) => (_dispatchAddress, _stackPointer) = (address, stackPointer);

    private void UseImage(GuestImage image)
    {
        if (_isImageMapped && ReferenceEquals(_memory.Image, image))
        {
            return;
        }

        if (_isImageMapped)
        {
            _machine.UnmapMemory(ImageSlot);
            _isImageMapped = false;
        }

        if (!ReferenceEquals(_memory.Image, image))
        {
            ObjectDisposedException.ThrowIf(!image.TryAddReference(), image);
            _memory.AdoptImage(image);
        }

        _machine.MapMemory(ImageSlot, _memory.ImageMapping);
        _isImageMapped = true;
    }
}
