using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>What an operation cannot be faster than, measured in the same run.</summary>
/// <param name="Name">Its name in the output.</param>
/// <param name="Driver">The only driver it is a floor for; <see langword="null"/> if it is one for all.</param>
/// <param name="Create">
/// The scenario that is the floor, or <see langword="null"/> for the kernel's part of the operation itself.
/// </param>
internal sealed record Floor(string Name, string? Driver, Func<Scenario>? Create)
{
    public const string NativeCode = "native-code";

    /// <summary>The time that the operation's own entries into the guest take in the kernel and the guest.</summary>
    public static Floor GuestTime { get; } = new("guest-time", null, null);

    /// <summary>KVM_RUN alone, on the same guest.</summary>
    public static Floor BareExit { get; } = new("bare-kvm-run", "kvm", static () => new BareExit());

    /// <summary>Machine, slot and vCPU created and closed.</summary>
    public static Floor BareCreate { get; } = new("bare-kvm-create", "kvm", static () => new BareCreate());

    /// <summary>The same computation outside the guest.</summary>
    public static Floor? Native(Workload workload) =>
        NativeWorkload.IsPossible ? new Floor(NativeCode, null, () => new NativeWorkload(workload)) : null;

    /// <summary>The scenario to measure beside an operation on a driver.</summary>
    public Scenario? CreateFor(BenchmarkDriver driver) => Driver is null || Driver == driver.Name ? Create?.Invoke() : null;
}
