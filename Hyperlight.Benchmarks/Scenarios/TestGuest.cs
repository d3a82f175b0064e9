using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The guest of all benchmarks: the one of the integration tests.</summary>
internal static class TestGuest
{
    private static readonly Lazy<GuestBinary> LazyBinary =
        new(() => GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", "testguest.elf")));

    /// <summary>A builder of sandboxes with the host function that the guest calls.</summary>
    public static SandboxBuilder Builder(BenchmarkDriver driver) => new SandboxBuilder()
        .WithHypervisor(driver.Hypervisor)
        .WithGuest(LazyBinary.Value)
        .WithHostFunction("HostEchoInt", static (int value) => value);

    /// <summary>A snapshot of a sandbox that was called once.</summary>
    public static Snapshot TakeSnapshot(BenchmarkDriver driver)
    {
        using MultiUseSandbox sandbox = Builder(driver).Build();
        _ = sandbox.Call<int>("Add", 1, 2);
        return sandbox.TakeSnapshot();
    }
}
