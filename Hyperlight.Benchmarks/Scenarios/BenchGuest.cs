using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The guest that computes.</summary>
internal static class BenchGuest
{
    private static readonly Lazy<GuestBinary> LazyBinary =
        new(() => GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", "benchguest.elf")));

    public static GuestBinary Binary => LazyBinary.Value;

    public static SandboxBuilder Builder(BenchmarkDriver driver) => new SandboxBuilder()
        .WithHypervisor(driver.Hypervisor)
        .WithGuest(Binary);
}
