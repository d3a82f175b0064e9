using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Machines;
using Hyperlight.Emulator;
using Hyperlight.Host.Memory;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A function of a benchmark guest, called in this process: the same machine code as in the guest.</summary>
internal sealed unsafe class NativeFunction : IDisposable
{
    private static readonly ConcurrentDictionary<(GuestBinary Guest, string Locator), ulong> Offsets = [];

    private readonly NativeImage _image;
    private readonly delegate* unmanaged<ulong, ulong, ulong> _function;

    /// <summary>Loads the guest.</summary>
    /// <param name="guest">The guest.</param>
    /// <param name="locator">The guest function that returns the function's address.</param>
    /// <exception cref="IOException">The kernel refused.</exception>
    public NativeFunction(GuestBinary guest, string locator)
    {
        ulong offset = Offsets.GetOrAdd((guest, locator), static key => FindOffset(key.Guest, key.Locator));
        _image = NativeImage.Load(guest.Image);
        _function = (delegate* unmanaged<ulong, ulong, ulong>)(_image.Address + (nint)offset);
    }

    /// <summary>Whether guest code is code of this machine, and this system calls functions as guests do.</summary>
    public static bool IsPossible => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public ulong Call(ulong which, ulong rounds) => _function(which, rounds);

    public void Dispose() => _image.Dispose();

    private static ulong FindOffset(GuestBinary guest, string locator)
    {
        var driver = new BenchmarkDriver(new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }), null);
        using MultiUseSandbox sandbox = BenchGuest.Builder(driver, guest).Build();
        return sandbox.Call<ulong>(locator) - GuestAddresses.ImageBase;
    }
}
