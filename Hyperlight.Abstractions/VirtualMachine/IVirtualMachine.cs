namespace Hyperlight.Abstractions;

/// <summary>
/// A virtual machine with one vCPU. <see cref="Run"/> blocks the calling thread until the guest exits. Only <see
/// cref="Cancel"/> can be called concurrently; all other members need exclusive access, which the caller ensures.
/// </summary>
public interface IVirtualMachine : IDisposable
{
    /// <summary>
    /// The number of memory slots, which are numbered from 0; <see langword="null"/> if the hypervisor has no limit.
    /// </summary>
    uint? MemorySlotLimit { get; }

    /// <summary>
    /// Maps host memory into guest physical space. The machine keeps the memory alive until the slot is unmapped or the
    /// machine is disposed, even if the region itself is disposed earlier.
    /// </summary>
    /// <param name="slot">The slot to fill; it must be free.</param>
    /// <param name="mapping">The mapping. Without <see cref="MemoryFlags.Write"/>, writes of the guest exit.</param>
    /// <exception cref="ArgumentException">The mapping is not page aligned, leaves its region, or its region belongs to another driver.</exception>
    /// <exception cref="HypervisorException">The call of the hypervisor failed; the slot is still free.</exception>
    void MapMemory(uint slot, in GuestMapping mapping);

    /// <summary>Removes the mapping in a slot and releases its memory.</summary>
    /// <param name="slot">The slot to empty.</param>
    /// <exception cref="InvalidOperationException">The slot is free.</exception>
    /// <exception cref="HypervisorException">The call of the hypervisor failed; the mapping still exists.</exception>
    void UnmapMemory(uint slot);

    /// <summary>
    /// Enters the guest and returns at its next exit. Interruptions without a request (signals for other purposes)
    /// re-enter the guest and are not seen by the caller.
    /// </summary>
    /// <exception cref="HypervisorException">The hypervisor could not run the vCPU.</exception>
    VmExit Run();

    /// <summary>
    /// Makes the current <see cref="Run"/> return <see cref="VmExitReason.Cancelled"/> soon, or the next one at once when
    /// none is in progress. A request is consumed by exactly one <see cref="VmExitReason.Cancelled"/>. Safe to call from any
    /// thread at any time, also after disposal, when it does nothing. Never throws: it is called by timers and tokens. What
    /// the operating system refuses is repeated until it takes.
    /// </summary>
    void Cancel();

    /// <summary>Reads the general registers, RIP and RFLAGS.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    GeneralRegisters GetGeneralRegisters();

    /// <summary>Replaces the general registers, RIP and RFLAGS before the next <see cref="Run"/>.</summary>
    /// <param name="registers">All of them; none keeps its old value.</param>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    void SetGeneralRegisters(in GeneralRegisters registers);

    /// <summary>Reads segment, descriptor-table and control registers.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    SpecialRegisters GetSpecialRegisters();

    /// <summary>
    /// Replaces segment, descriptor-table and control registers. Every translation of virtual addresses that is cached is
    /// dropped, also if the registers keep their values: the host may have changed the page tables in memory.
    /// </summary>
    /// <param name="registers">All of them; none keeps its old value.</param>
    /// <exception cref="HypervisorException">The hypervisor refused, for example an inconsistent combination.</exception>
    void SetSpecialRegisters(in SpecialRegisters registers);

    /// <summary>Reads the x87 and SSE state.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    FpuRegisters GetFpuRegisters();

    /// <summary>Replaces the x87 and SSE state, MXCSR included; wider vector state returns to its initial value.</summary>
    /// <param name="registers">The new state.</param>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    void SetFpuRegisters(in FpuRegisters registers);

    /// <summary>Reads the debug registers.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    DebugRegisters GetDebugRegisters();

    /// <summary>Replaces the debug registers.</summary>
    /// <param name="registers">All of them; none keeps its old value.</param>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    void SetDebugRegisters(in DebugRegisters registers);

    /// <summary>Size of the extended state image of <see cref="GetXsave"/> and <see cref="SetXsave"/>, in bytes.</summary>
    int XsaveSize { get; }

    /// <summary>Reads the extended state as an XSAVE image.</summary>
    /// <param name="destination">At least <see cref="XsaveSize"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too small.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    void GetXsave(Span<byte> destination);

    /// <summary>Replaces the extended state by an XSAVE image.</summary>
    /// <param name="source">Exactly <see cref="XsaveSize"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="source"/> has another size.</exception>
    /// <exception cref="HypervisorException">The hypervisor refused, for example an invalid header.</exception>
    void SetXsave(ReadOnlySpan<byte> source);

    /// <summary>Reads model-specific registers: each entry's index says which, its value is filled in.</summary>
    /// <param name="registers">The registers to read.</param>
    /// <exception cref="HypervisorException">The hypervisor does not give one of them; it is named.</exception>
    void GetMsrs(Span<ModelSpecificRegister> registers);

    /// <summary>Writes model-specific registers in order.</summary>
    /// <param name="registers">The registers and their new values.</param>
    /// <exception cref="HypervisorException">The hypervisor does not take one of them; it is named, and those before it are written.</exception>
    void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers);

    /// <summary>
    /// Which model-specific registers a restore has to put back: those that the guest can change under the machine's
    /// <see cref="MsrPolicy"/> and the hypervisor gives and takes, besides those that are among
    /// <see cref="SpecialRegisters"/>. Where the hypervisor cannot deny registers, all that a guest can change, whatever the
    /// policy says, besides the time-stamp counter, which never stands still. Constant.
    /// </summary>
    /// <exception cref="HypervisorException">The hypervisor did not say which it has.</exception>
    ReadOnlyMemory<uint> GuestWritableMsrs { get; }

    /// <summary>Reads XCR0, which says what vector state the guest has enabled. Bit 0 is always set.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    ulong GetXcr0();

    /// <summary>Replaces XCR0.</summary>
    /// <param name="value">The new value.</param>
    /// <exception cref="HypervisorException">The hypervisor refused, for example state that the processor does not have.</exception>
    void SetXcr0(ulong value);

    /// <summary>
    /// Forgets what the guest left unfinished, before the machine is put to another use: exceptions that were being
    /// delivered, the interrupt shadow of its last instruction, and whatever the driver keeps of memory that the guest can
    /// write and the host has replaced.
    /// </summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    void DiscardPendingState();
}
