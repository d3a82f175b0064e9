using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>Lives of sandboxes, in which every kernel call that a driver makes for them occurs.</summary>
internal static class SandboxLives
{
    private const ulong FirstAddress = 0x1000_0000;
    private const ulong SecondAddress = 0x2000_0000;
    private const uint KernelGsBase = 0xC000_0102;
    private const uint SysenterCs = 0x174;

    /// <summary>Every life, by name.</summary>
    public static IReadOnlyDictionary<string, Action<SandboxLife>> All { get; } = new Dictionary<string, Action<SandboxLife>>
    {
        ["call"] = Call,
        ["map files"] = MapFiles,
        ["map host memory"] = MapHostMemory,
        ["restore snapshots"] = RestoreSnapshots,
        ["give back large memory"] = GiveBackLargeMemory,
        ["map files and restore snapshots"] = MapFilesAndRestoreSnapshots,
    };

    private static void Call(SandboxLife life)
    {
        MultiUseSandbox sandbox = life.Add(life.Builder().WithHostFunction("HostEchoInt", (int x) => x).Build());
        life.Step(() => Assert.That(sandbox.Call<int>("RoundTripInt", 5), Is.EqualTo(5)));
        life.Step(() => sandbox.InterruptHandle.Cancel());
        life.Step(() => Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3)));
    }

    private static void MapFiles(SandboxLife life)
    {
        using UninitializedSandbox uninitialized = life.Builder().BuildUninitialized();
        uninitialized.MapFile(life.FirstFile, FirstAddress);
        MultiUseSandbox sandbox = life.Add(uninitialized.Evolve());
        life.Step(() => AssertMapped(sandbox, FirstAddress, life.FirstFile));
        life.Step(() => sandbox.MapFile(life.SecondFile, SecondAddress));
        life.Step(() => AssertMapped(sandbox, SecondAddress, life.SecondFile));
        life.Step(() => sandbox.UnmapFile(FirstAddress));
        life.Step(() => sandbox.MapFile(life.FirstFile, FirstAddress));
        life.Step(() => AssertMapped(sandbox, FirstAddress, life.FirstFile));
    }

    private static void MapHostMemory(SandboxLife life)
    {
        MultiUseSandbox sandbox = life.Add(life.Builder().Build());
        IMemoryRegion region = sandbox.Hypervisor.Hypervisor.AllocateMemory(GuestPage.Size);
        try
        {
            region.Write(0, BitConverter.GetBytes(42UL));
            life.Step(() => sandbox.MapRegion(region, FirstAddress));
        }
        finally
        {
            // The machine keeps the memory, and is the one to release it.
            region.Dispose();
        }

        life.Step(() => Assert.That(sandbox.Call<ulong>("MapAndRead", FirstAddress), Is.EqualTo(42)));
        life.Step(() => sandbox.UnmapRegion(FirstAddress));
        life.Step(() => Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3)));
    }

    private static void RestoreSnapshots(SandboxLife life)
    {
        MultiUseSandbox sandbox = life.Add(life.Builder().Build());
        MultiUseSandbox other = life.Add(life.Builder().Build());
        life.Step(() => life.TakeSnapshot(sandbox));
        life.Step(() => sandbox.Call("WriteMsr", KernelGsBase, 0x7FFF_0000_0000UL));
        life.Step(() => sandbox.Call("WriteMsr", SysenterCs, 0x1234UL));
        life.Step(() => sandbox.Restore(life.Snapshot!));
        life.Step(() => other.Restore(life.Snapshot!));
        life.Step(() => Assert.That(other.Call<int>("Add", 1, 2), Is.EqualTo(3)));
        MultiUseSandbox third = life.Add(life.Builder().WithSnapshot(life.Snapshot!).Build());
        life.Step(() => Assert.That(third.Call<int>("Add", 1, 2), Is.EqualTo(3)));
        life.Step(() => third.Restore(life.Snapshot!));
    }

    private static void GiveBackLargeMemory(SandboxLife life)
    {
        var configuration = new SandboxConfiguration { ScratchSize = 4 << 20 };
        MultiUseSandbox sandbox = life.Add(life.Builder().WithConfiguration(configuration).Build());
        life.Step(() => life.TakeSnapshot(sandbox));
        life.Step(() => sandbox.Restore(life.Snapshot!));
        life.Step(() => Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3)));
    }

    private static void MapFilesAndRestoreSnapshots(SandboxLife life)
    {
        MultiUseSandbox sandbox = life.Add(life.Builder().WithFileMapping(life.FirstFile, FirstAddress).Build());
        life.Step(() => sandbox.Call("MapPhysical", FirstAddress, (ulong)GuestPage.Size));
        life.Step(() => life.TakeSnapshot(sandbox));
        life.Step(() => sandbox.Restore(life.Snapshot!));
        Assert.That(sandbox.Mappings, Is.Empty);
        life.Step(() => sandbox.MapFile(life.FirstFile, FirstAddress));
        MultiUseSandbox other = life.Add(life.Builder()
            .WithFileMapping(life.FirstFile, FirstAddress)
            .WithFileMapping(life.SecondFile, SecondAddress)
            .WithSnapshot(life.Snapshot!)
            .Build());
        life.Step(() => AssertMapped(other, SecondAddress, life.SecondFile));
        life.Step(() => other.Restore(life.Snapshot!));
        life.Step(() => sandbox.Restore(life.Snapshot!));
    }

    private static void AssertMapped(MultiUseSandbox sandbox, ulong address, string file)
    {
        Assert.That(sandbox.Mappings.Select(m => m.Label), Does.Contain(Path.GetFileName(file)));
        Assert.That(sandbox.Call<ulong>("MapAndRead", address), Is.EqualTo(SandboxLife.FirstWord(file)));
    }
}
