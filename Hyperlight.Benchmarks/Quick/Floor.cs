using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>What an operation cannot be faster than, measured in the same run.</summary>
/// <param name="Name">Its name in the output.</param>
/// <param name="Driver">The only driver it is a floor for; <see langword="null"/> if it is one for all.</param>
/// <param name="Create">
/// The scenario that is the floor on a driver, or <see langword="null"/> for the kernel's part of the operation itself.
/// </param>
internal sealed record Floor(string Name, string? Driver, Func<BenchmarkDriver, Scenario>? Create)
{
    public const string NativeCode = "native-code";
    public const string BareRestoreName = "bare-restore";
    public const string BareCopyName = "bare-copy";
    public const string BareMapName = "bare-map";

    /// <summary>The time that the operation's own entries into the guest take in the kernel and the guest.</summary>
    public static Floor GuestTime { get; } = new("guest-time", null, null);

    /// <summary>KVM_RUN alone, on the same guest.</summary>
    public static Floor BareExit { get; } = new("bare-kvm-run", "kvm", static _ => new BareExit());

    /// <summary>The same call without the code that looks for listeners of calls.</summary>
    public static Floor Uninstrumented { get; } = new("uninstrumented-call", null, static d => new UninstrumentedCall(d));

    /// <summary>Machine, slot and vCPU created and closed.</summary>
    public static Floor BareCreate { get; } = new("bare-kvm-create", "kvm", static _ => new BareCreate());

    /// <summary>A call and a restore of one sandbox, without a pool.</summary>
    public static Floor CallRestore { get; } = new("call-restore", null, static d => new CallRestore(d));

    /// <summary>The same computation outside the guest.</summary>
    public static Floor? Native(Workload workload) => OfNativeCode(() => new NativeWorkload(workload));

    /// <summary>The same program outside the guest.</summary>
    public static Floor? Native(GuestProgram program) => OfNativeCode(() => new NativeProgram(program));

    /// <summary>Native code on as many threads.</summary>
    public static Floor? NativeThreads(int threads) => OfNativeCode(() => new ParallelNative(threads));

    /// <summary>What is cleared and copied for a restore, and the driver's calls to the kernel.</summary>
    public static Floor? Restore(SnapshotGuest guest) => OnLinux(BareRestoreName, d => new BareRestore(d, guest));

    /// <summary>A copy of as many bytes as a snapshot has.</summary>
    public static Floor? Copy(SnapshotGuest guest) => OnLinux(BareCopyName, d => new BareCopy(d, guest));

    /// <summary>The calls to the kernel that a file mapping takes.</summary>
    public static Floor? MapFile(long size) => OnLinux(BareMapName, d => new BareMapFile(d, size));

    /// <summary>The scenario to measure beside an operation on a driver.</summary>
    public Scenario? CreateFor(BenchmarkDriver driver) => Driver is null || Driver == driver.Name ? Create?.Invoke(driver) : null;

    private static Floor? OfNativeCode(Func<Scenario> create) =>
        NativeFunction.IsPossible ? new Floor(NativeCode, null, _ => create()) : null;

    private static Floor? OnLinux(string name, Func<BenchmarkDriver, Scenario> create) =>
        OperatingSystem.IsLinux() ? new Floor(name, null, create) : null;
}
