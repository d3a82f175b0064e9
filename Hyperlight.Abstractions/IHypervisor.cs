namespace Hyperlight.Abstractions;

/// <summary>
/// A hypervisor of this machine. Sandboxes use drivers only through this interface. Implementations have no state for each
/// sandbox, and are thread-safe.
/// </summary>
public interface IHypervisor
{
    /// <summary>The driver's short lower-case name, such as <c>kvm</c>, <c>mshv</c>, <c>whp</c> or <c>emulator</c>.</summary>
    string Name { get; }

    /// <summary>
    /// The processor vendor that guests see: the vendor string of CPUID leaf 0, such as <c>GenuineIntel</c>. Empty if the
    /// machine has no x86-64 processor.
    /// </summary>
    string ProcessorVendor { get; }

    /// <summary>
    /// What guests of this driver find that is not the same on all machines, and that programs adapt to when they start, such as the features of
    /// the processor: a text to be compared. A state that a program had elsewhere is used only where the text is the same. Default: <see
    /// cref="HostProcessor.Features"/>.
    /// </summary>
    string GuestProcessor => HostProcessor.Features;

    /// <summary>
    /// Whether the machines of this driver count instructions, which they do by implementing <see cref="IInstructionCounter"/>.
    /// Default <see langword="false"/>.
    /// </summary>
    bool CountsInstructions => false;

    /// <summary>
    /// Whether the machines of this driver can interrupt their guest, which they do by implementing <see cref="IInterruptInjector"/>.
    /// Default <see langword="false"/>.
    /// </summary>
    bool InjectsInterrupts => false;

    /// <summary>
    /// Determines whether this hypervisor can run guests. Does not throw if it cannot: the status says what is missing and
    /// what the user can do.
    /// </summary>
    HypervisorStatus Probe();

    /// <summary>Creates a virtual machine with one vCPU in its power-on state and without memory.</summary>
    /// <param name="options">Properties of the machine that cannot be changed after its creation.</param>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds; all resources are released.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed; all resources are released.</exception>
    IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options);

    /// <summary>Allocates zero-filled host memory that this driver can map into a guest.</summary>
    /// <param name="size">Bytes, a positive multiple of <see cref="GuestPage.Size"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is zero or not a multiple of a page.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    IMemoryRegion AllocateMemory(nuint size);

    /// <summary>
    /// Opens a file for mapping into a guest, without a virtual machine: the guest will see a private, read-only view
    /// of it. The mapping owns resources of the operating system until it is consumed or disposed.
    /// </summary>
    /// <param name="path">The file. It must exist and must not be empty.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="label">
    /// Name under which a guest may find the mapping: at most <see cref="MappingLabel.MaxBytes"/> bytes of UTF-8 without
    /// NUL. The default is the file name, truncated if it is longer.
    /// </param>
    /// <exception cref="ArgumentException">The label holds NUL or is too long, or the path is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or the range leaves guest physical space.</exception>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is empty.</exception>
    IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null);
}
