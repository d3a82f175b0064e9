using Hyperlight.Abstractions;

namespace Hyperlight.Linux;

/// <summary>Files on their way into a guest.</summary>
internal static class LinuxFileMapping
{
    /// <summary>Opens a file for a guest.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="path">The file.</param>
    /// <param name="guestAddress">Guest physical address of the first byte.</param>
    /// <param name="label">The explicit label, or <see langword="null"/>.</param>
    /// <param name="protection">PROT_READ, and PROT_WRITE for a hypervisor that pins pages for writing.</param>
    public static PreparedMapping Prepare(
        ILinuxKernel kernel, string driver, string path, ulong guestAddress, string? label, int protection) =>
        PreparedMapping.Prepare(path, guestAddress, label, file => FileMemoryRegion.Open(kernel, driver, file, protection));
}
