using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Soak;

/// <summary>Files and host memory in guests.</summary>
internal static class MappingActions
{
    private const ulong FirstAddress = 0x1000_0000;
    private const ulong Distance = 0x100_0000;
    private const ulong OtherAddress = 0x6000_0000;

    /// <summary>Where the file of a number is mapped.</summary>
    public static ulong AddressOf(int file) => FirstAddress + ((ulong)file * Distance);

    public static void MapFile(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        int file = worker.Random.Next(SoakScene.FileCount);
        if (tenant.Files.Contains(file))
        {
            SoakFailure.Expect<MappingOverlapException>(() => Map(worker, tenant, file), "Mapping a file twice");
            return;
        }

        Map(worker, tenant, file);
        tenant.Files.Add(file);
        CheckWord(worker, tenant, file);
    }

    public static void ReadFiles(SoakWorker worker)
    {
        if (worker.PickOrNull(static t => !t.IsPoisoned && t.Files.Count > 0) is { } tenant)
        {
            for (int i = 0; i < 10; i++)
            {
                CheckWord(worker, tenant, worker.Pick(tenant.Files));
            }
        }
    }

    public static void UnmapFile(SoakWorker worker)
    {
        if (worker.PickOrNull(static t => !t.IsPoisoned && t.Files.Count > 0) is { } tenant)
        {
            int file = worker.Pick(tenant.Files);
            tenant.Sandbox.UnmapFile(AddressOf(file));
            tenant.Files.Remove(file);
        }
    }

    /// <summary>What is gone cannot be read, and the process lives on.</summary>
    public static void ShortenMappedFile(SoakWorker worker)
    {
        const int length = 3 * GuestPage.Size;
        Tenant tenant = worker.PickReady();
        string file = worker.Scene.NewFile($"short{worker.Number}", length);
        tenant.Sandbox.MapFile(file, OtherAddress);
        SoakFailure.Check(tenant.Sandbox.Call<ulong>("MapAndRead", OtherAddress), TestFiles.Word(0), "The first word of a file");
        TestFiles.Truncate(file, GuestPage.Size);
        MemoryAccessViolationException exception = SoakFailure.Expect<MemoryAccessViolationException>(
            () => tenant.Sandbox.Call<ulong>("MapAndRead", OtherAddress + (2 * GuestPage.Size)), "Reading behind the end of a file");
        SoakFailure.Check(exception.Label, Path.GetFileName(file), "The mapping that an error names");
        File.Delete(file);
    }

    public static void MapHostMemory(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        Memory<byte> memory = TestFiles.PageAligned(GuestPage.Size);
        BinaryPrimitives.WriteInt64LittleEndian(memory.Span, worker.Number);
        HostMemoryRegion region = HostMemoryRegion.Pin(memory);
        tenant.Sandbox.MapRegion(region, OtherAddress);

        // The sandbox keeps what is disposed too early.
        worker.Give(region);
        SoakFailure.Check(tenant.Sandbox.Call<ulong>("MapAndRead", OtherAddress), (ulong)worker.Number, "The first word of host memory");
        tenant.Sandbox.UnmapRegion(OtherAddress);
    }

    private static void Map(SoakWorker worker, Tenant tenant, int file) =>
        tenant.Sandbox.MapFile(worker.Scene.FilePath(file), AddressOf(file));

    private static void CheckWord(SoakWorker worker, Tenant tenant, int file)
    {
        ReadOnlySpan<byte> content = worker.Scene.FileContent(file);
        int offset = worker.Random.Next(content.Length / sizeof(ulong)) * sizeof(ulong);
        SoakFailure.Check(
            tenant.Sandbox.Call<ulong>("MapAndRead", AddressOf(file) + (ulong)offset),
            BinaryPrimitives.ReadUInt64LittleEndian(content[offset..]),
            $"The word at 0x{offset:X} of a mapped file");
    }
}
