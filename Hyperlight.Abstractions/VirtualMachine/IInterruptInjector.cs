namespace Hyperlight.Abstractions;

/// <summary>
/// Implemented by virtual machines that can interrupt their guest. Use a type test. To interrupt a guest that runs, make it exit by
/// <see cref="RequestExit"/>; the thread that runs it then injects the interrupt.
/// </summary>
public interface IInterruptInjector
{
    /// <summary>The first vector that is not one of the processor's exceptions.</summary>
    const byte FirstVector = 32;

    /// <summary>
    /// Makes the current <see cref="IVirtualMachine.Run"/> return <see cref="VmExitReason.Cancelled"/> soon, or the next one at
    /// once, as <see cref="IVirtualMachine.Cancel"/> does, but never by means after which the guest could not go on. A request of
    /// both is consumed by one exit. Safe to call from any thread at any time, also after disposal. Never throws.
    /// </summary>
    void RequestExit();

    /// <summary>
    /// Interrupts the guest at the beginning of the next <see cref="IVirtualMachine.Run"/>: it enters the handler that its IDT has
    /// for the vector, as for an interrupt of a device. A guest that has interrupts off, or whose last instruction holds them
    /// back for one more, is not interrupted: <see cref="IVirtualMachine.Run"/> then returns <see
    /// cref="VmExitReason.InterruptWindow"/> as soon as it can be. <see cref="IVirtualMachine.DiscardPendingState"/> withdraws
    /// the interrupt, and the wait for the window. Needs exclusive access, as the members of <see cref="IVirtualMachine"/> do.
    /// </summary>
    /// <param name="vector">The vector, at least <see cref="FirstVector"/>.</param>
    /// <returns>Whether the guest will be interrupted. If not, call this again when the window is open.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vector is one of an exception.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    bool TryInjectInterrupt(byte vector);
}
