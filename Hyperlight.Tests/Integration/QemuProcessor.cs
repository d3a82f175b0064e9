using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// The processor of a machine that QEMU emulates. It checks less than a processor does, as its sources in target/i386/tcg
/// show, and a data breakpoint that a guest of KVM meets ends QEMU itself.
/// </summary>
internal static class QemuProcessor
{
    private static readonly Lazy<bool> LazyIsHere = new(() =>
        OperatingSystem.IsLinux() && File.ReadAllText("/proc/cpuinfo").Contains("QEMU TCG", StringComparison.Ordinal));

    /// <summary>Whether guests of a driver run on it.</summary>
    public static bool Runs(IHypervisor hypervisor) => hypervisor.Name == "kvm" && LazyIsHere.Value;
}
