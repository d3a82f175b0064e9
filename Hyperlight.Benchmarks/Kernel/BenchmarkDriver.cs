using Hyperlight.Abstractions;

namespace Hyperlight.Benchmarks.Kernel;

/// <summary>A driver that can be measured.</summary>
/// <param name="Hypervisor">The driver.</param>
/// <param name="Meter">What counts its calls to the kernel, if something does.</param>
internal sealed record BenchmarkDriver(IHypervisor Hypervisor, KernelMeter? Meter)
{
    /// <summary>The driver's name, such as <c>kvm</c>.</summary>
    public string Name => Hypervisor.Name;
}
