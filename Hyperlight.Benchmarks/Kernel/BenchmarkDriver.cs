using Hyperlight.Abstractions;

namespace Hyperlight.Benchmarks.Kernel;

/// <summary>A driver that can be measured.</summary>
/// <param name="Hypervisor">The driver.</param>
/// <param name="Meter">What counts its calls to the kernel, if something does.</param>
/// <param name="Variant">How it was told to work, if that is not the usual way.</param>
internal sealed record BenchmarkDriver(IHypervisor Hypervisor, KernelMeter? Meter, string? Variant = null)
{
    /// <summary>The driver's name, such as <c>kvm</c>, or the variant's.</summary>
    public string Name => Variant ?? Hypervisor.Name;
}
