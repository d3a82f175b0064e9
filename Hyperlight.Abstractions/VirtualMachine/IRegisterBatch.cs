namespace Hyperlight.Abstractions;

/// <summary>
/// Implemented by virtual machines whose hypervisor writes many registers in one call. Use a type test. Without it, each
/// write is a call.
/// </summary>
public interface IRegisterBatch
{
    /// <summary>
    /// Begins a batch: debug registers, special registers, XCR0, model-specific registers and what
    /// <see cref="IVirtualMachine.DiscardPendingState"/> writes are kept until <see cref="EndRegisterBatch"/>, or until
    /// registers are read. The next <see cref="IVirtualMachine.Run"/> ends it too.
    /// </summary>
    void BeginRegisterBatch();

    /// <summary>Writes what was kept, in order.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused a register; it is named, and those before it are written.</exception>
    void EndRegisterBatch();
}
