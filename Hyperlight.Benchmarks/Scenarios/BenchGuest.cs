using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The guest that computes, in general registers alone and with vector registers.</summary>
internal static class BenchGuest
{
    private const int ScratchSize = 8 << 20;

    private static readonly Lazy<GuestBinary> LazyBinary = new(() => Load("benchguest.elf"));
    private static readonly Lazy<GuestBinary> LazyVectorBinary = new(() => Load("benchguest-sse.elf"));

    public static GuestBinary Binary => LazyBinary.Value;

    /// <summary>The guest that has a program.</summary>
    public static GuestBinary BinaryOf(GuestProgram program) => program == GuestProgram.Matrix ? LazyVectorBinary.Value : Binary;

    public static SandboxBuilder Builder(BenchmarkDriver driver) => Builder(driver, Binary);

    /// <summary>A builder of sandboxes with room for everything that the programs write.</summary>
    public static SandboxBuilder Builder(BenchmarkDriver driver, GuestBinary guest) => new SandboxBuilder()
        .WithHypervisor(driver.Hypervisor)
        .WithConfiguration(new SandboxConfiguration { ScratchSize = ScratchSize })
        .WithGuest(guest);

    private static GuestBinary Load(string name) => GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", name));
}
