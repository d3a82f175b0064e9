namespace Hyperlight.Abstractions;

/// <summary>
/// One hypervisor on this machine: the single type through which sandboxes reach a driver.
/// Implementations keep no per-sandbox state and are safe to use from any thread.
/// </summary>
public interface IHypervisor
{
    /// <summary>The driver's short lower-case name, such as <c>kvm</c>, <c>mshv</c>, <c>whp</c> or <c>emulator</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Whose processor guests find: the vendor string of CPUID leaf 0, such as <c>GenuineIntel</c>. Empty where there is no
    /// x86-64 processor.
    /// </summary>
    string ProcessorVendor { get; }

    /// <summary>
    /// Whether the machines of this driver count instructions, which they do by implementing <see cref="IInstructionCounter"/>.
    /// Default <see langword="false"/>.
    /// </summary>
    bool CountsInstructions => false;

    /// <summary>
    /// Finds out whether this hypervisor can run a guest now. Never throws for an unusable hypervisor: the answer says
    /// what is missing and what the user can do about it.
    /// </summary>
    HypervisorStatus Probe();

    /// <summary>Creates one partition with one vCPU in its power-on state and no memory.</summary>
    /// <param name="options">Properties of the machine that cannot be changed once it exists.</param>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">The hypervisor refused; nothing is left behind.</exception>
    IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options);

    /// <summary>Allocates zero-filled host memory that this driver can map into a guest.</summary>
    /// <param name="size">Bytes, a positive multiple of <see cref="GuestPage.Size"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is zero or not a multiple of a page.</exception>
    /// <exception cref="HypervisorException">The operating system refused the memory.</exception>
    IMemoryRegion AllocateMemory(nuint size);

    /// <summary>
    /// Opens a file for mapping into a guest, without a virtual machine: the guest will see a private, read-only view
    /// of it. The operating system's resources are held until the mapping is consumed or disposed.
    /// </summary>
    /// <param name="path">The file. It must exist and must not be empty.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="label">
    /// Name under which a guest may find the mapping: at most <see cref="MappingLabel.MaxBytes"/> bytes of UTF-8 without
    /// NUL. Without one the file name is used, shortened if it is longer.
    /// </param>
    /// <exception cref="ArgumentException">The label holds NUL or is too long, or the path is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or the range leaves guest physical space.</exception>
    /// <exception cref="FileMappingException">The file cannot be opened or mapped, or is empty.</exception>
    IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null);
}
