using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;
using Hyperlight.Emulator;
using Hyperlight.Host.Memory;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The floor of <see cref="GuestWorkload"/>: the same machine code, called in this process.</summary>
internal sealed unsafe class NativeWorkload : Scenario
{
    private static readonly Lazy<ulong> LazyOffset = new(FindOffset);

    private readonly Workload _workload;
    private readonly NativeImage _image;
    private readonly delegate* unmanaged<ulong, ulong, ulong> _run;

    /// <summary>Loads the guest.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public NativeWorkload(Workload workload)
    {
        _workload = workload;
        _image = NativeImage.Load(BenchGuest.Binary.Image);
        _run = (delegate* unmanaged<ulong, ulong, ulong>)(_image.Address + (nint)LazyOffset.Value);
    }

    /// <summary>Whether guest code is code of this machine, and this system calls functions as guests do.</summary>
    public static bool IsPossible => OperatingSystem.IsLinux()
        && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64;

    public override void Run() => _run((ulong)_workload, GuestWorkload.Rounds);

    public override void Dispose() => _image.Dispose();

    /// <summary>The guest knows where its function is.</summary>
    private static ulong FindOffset()
    {
        using MultiUseSandbox sandbox = BenchGuest.Builder(new BenchmarkDriver(new EmulatorHypervisor(), null)).Build();
        return sandbox.Call<ulong>("WorkloadAddress") - GuestAddresses.ImageBase;
    }
}
