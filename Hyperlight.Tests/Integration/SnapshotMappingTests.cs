using Hyperlight.Abstractions;
using static Hyperlight.Tests.Integration.TestFiles;

namespace Hyperlight.Tests.Integration;

/// <summary>Snapshots of guests that have mapped files and host memory into their address space.</summary>
internal sealed class SnapshotMappingTests(TestTarget target) : GuestTest(target)
{
    private const ulong Address = 0x1000_0000;
    private const ulong Page = GuestPage.Size;
    private const ulong Mark = 0x1122_3344_5566_7788;

    private TestFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new TestFiles();

    [TearDown]
    public void DeleteFiles() => _files.Dispose();

    [Test]
    public void The_pages_that_the_guest_had_mapped_are_there_and_the_mapping_is_gone()
    {
        Sandbox.MapFile(_files.New("model", 0x3000), Address);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Mappings, Is.Empty);
        Assert.That(Peek(Address), Is.EqualTo(Word(0)));
        Assert.That(Peek(Address + 0x1FF8), Is.EqualTo(Word(0x1FF8)));
        AssertNoMemoryAt(Address + (2 * Page));

        // Nor is there anything at the physical addresses of the pages that were captured: they lie elsewhere now.
        Sandbox.Restore(snapshot);
        AssertNoMemoryAt(Address);
    }

    [Test]
    public void Only_the_pages_that_the_guest_had_mapped_are_captured()
    {
        using Snapshot before = Sandbox.TakeSnapshot();
        if (Target.CopiesFilesWhenMapped)
        {
            Assert.Ignore($"{Target.Driver} pins the pages of a file when it is mapped: gigabytes of memory.");
        }

        Sandbox.MapFile(_files.NewSparse("large", 1L << 30, ((1L << 30) - 8, Mark)), Address);
        Sandbox.Call("MapPhysical", Address + (1UL << 30) - Page, Page);

        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);

        Assert.That(Peek(Address + (1UL << 30) - 8), Is.EqualTo(Mark));
        Assert.That(snapshot.Size, Is.LessThan(before.Size + (16 * Page)));
    }

    [Test]
    public void Writes_to_mapped_memory_are_captured_and_later_writes_are_undone()
    {
        string path = _files.New("model", 0x2000);
        Sandbox.MapFile(path, Address);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        Sandbox.Call("Poke", Address, Mark);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("Poke", Address, ~Mark);
        Sandbox.Call("Poke", Address + Page, ~Mark);

        for (int i = 0; i < 2; i++)
        {
            Sandbox.Restore(snapshot);
            Assert.That(Peek(Address), Is.EqualTo(Mark));
            Assert.That(Peek(Address + 8), Is.EqualTo(Word(8)));
            Assert.That(Peek(Address + Page), Is.EqualTo(Word(0x1000)));
            Sandbox.Call("Poke", Address + Page, ~Mark);
        }

        Assert.That(File.ReadAllBytes(path), Is.EqualTo(Content(0x2000)));
    }

    [Test]
    public void Later_changes_of_the_file_have_no_effect()
    {
        string path = _files.New("model", 0x1000);
        Sandbox.MapFile(path, Address);
        Sandbox.Call("MapPhysical", Address, Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.UnmapFile(Address);
        File.WriteAllBytes(path, new byte[0x1000]);
        File.Delete(path);

        Sandbox.Restore(snapshot);
        MultiUseSandbox other = Build(b => b.WithSnapshot(snapshot));

        Assert.That(Peek(Address + 8), Is.EqualTo(Word(8)));
        Assert.That(other.Call<ulong>("Peek", Address + 8), Is.EqualTo(Word(8)));
    }

    [Test]
    public void A_file_that_was_renamed_or_deleted_is_captured()
    {
        string renamed = _files.New("renamed", 0x1000);
        string deleted = _files.New("deleted", [.. Content(0x1000).Reverse()]);
        Sandbox.MapFile(renamed, Address);
        Sandbox.MapFile(deleted, Address + Page);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        File.Move(renamed, renamed + ".old");
        File.Delete(deleted);

        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);

        Assert.That(Peek(Address), Is.EqualTo(Word(0)));
        Assert.That(Peek(Address + Page) & 0xFF, Is.EqualTo(Content(0x1000)[^1]));
    }

    [Test]
    public void A_shortened_file_is_a_typed_error_that_names_the_mapping_and_does_not_affect_the_guest()
    {
        using Snapshot before = Sandbox.TakeSnapshot();
        string path = _files.New("model", 0x3000);
        Sandbox.MapFile(_files.New("intact", 0x1000), Address * 2);
        Sandbox.MapFile(path, Address, "weights");
        Sandbox.Call("MapPhysical", Address * 2, Page);
        Sandbox.Call("MapPhysical", Address, 3 * Page);
        if (Target.KeepsMappedFilesLong)
        {
            Assert.Throws<IOException>(() => Truncate(path, 0x1000));
            Assert.Pass("The file remains as long as it is mapped.");
        }

        Truncate(path, 0x1000);

        for (int i = 0; i < 2; i++)
        {
            SnapshotException error = Assert.Throws<SnapshotException>(() => Sandbox.TakeSnapshot())!;

            Assert.That(error.Label, Is.EqualTo("weights"));
            Assert.That(error.Message, Does.Contain("'weights'").And.Contain(path));
            Assert.That((error.InnerException as FileMappingException)?.Path, Is.EqualTo(path));
            Assert.That(Sandbox.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "intact", "weights" }));
            AssertUsable();
        }

        // Once the guest unmaps what is missing, nothing is.
        Sandbox.Call("UnmapPhysical", Address + Page, 2 * Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);
        Assert.That(Peek(Address), Is.EqualTo(Word(0)));
        Assert.That(snapshot.Generation, Is.EqualTo(before.Generation + 1), "snapshots that failed do not count");
    }

    [Test]
    public void Pages_of_a_file_that_was_unmapped_are_left_out()
    {
        var loggers = new RecordingLoggers(Microsoft.Extensions.Logging.LogLevel.Warning);
        MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers).WithFileMapping(_files.New("model", 0x2000), Address));
        sandbox.Call("MapPhysical", Address, 2 * Page);
        sandbox.UnmapFile(Address);

        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Restore(snapshot);

        Assert.That(loggers.Library.Select(r => r.Text), Has.One.Contains("lacks 2 pages"));
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public void Host_memory_is_captured_and_let_go_of()
    {
        Memory<byte> memory = PageAligned(0x2000);
        Content(0x2000).CopyTo(memory);
        using System.Buffers.MemoryHandle pin = memory.Pin();
        int released = 0;
        HostMemoryRegion region = HostMemoryRegion.FromPointer(AddressOf(pin), 0x2000, () => released++);
        Sandbox.MapRegion(region, Address);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        region.Dispose();
        Assert.That(released, Is.Zero, "the sandbox still maps it");
        Sandbox.Restore(snapshot);
        Assert.That(released, Is.EqualTo(1), "neither the sandbox nor the snapshot needs it");
        memory.Span.Clear();

        MultiUseSandbox other = Build(b => b.WithSnapshot(snapshot));
        Assert.That(Peek(Address + 0x1FF8), Is.EqualTo(Word(0x1FF8)));
        Assert.That(other.Call<ulong>("Peek", Address), Is.EqualTo(Word(0)));
    }

    [Test]
    public void Host_memory_whose_region_was_disposed_too_early_is_captured_too()
    {
        Memory<byte> memory = PageAligned(0x1000);
        Content(0x1000).CopyTo(memory);
        HostMemoryRegion region = HostMemoryRegion.Pin(memory);
        Sandbox.MapRegion(region, Address);
        Sandbox.Call("MapPhysical", Address, Page);
        region.Dispose();

        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);

        Assert.That(Peek(Address), Is.EqualTo(Word(0)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_sandbox_from_a_snapshot_maps_the_files_of_its_builder(bool snapshotFirst)
    {
        using Snapshot snapshot = SnapshotWithPageOf("captured", Content(0x1000));
        string path = _files.New("model", BitConverter.GetBytes(Mark));

        MultiUseSandbox sandbox = Build(b => _ = snapshotFirst
            ? b.WithSnapshot(snapshot).WithFileMapping(path, Address)
            : b.WithFileMapping(path, Address).WithSnapshot(snapshot));

        Assert.That(sandbox.Mappings, Is.EqualTo(new[]
        {
            new SandboxMapping("model", Address, Page, MemoryFlags.Read | MemoryFlags.Execute, MemoryRegionKind.File),
        }));
        Assert.That(sandbox.Call<ulong>("MapAndRead", Address), Is.EqualTo(Mark), "the file, at its physical address");
        Assert.That(sandbox.Call<ulong>("Peek", Address), Is.EqualTo(Word(0)), "what was captured, at its virtual address");
        using Snapshot next = sandbox.TakeSnapshot();
        sandbox.Restore(next);
        Assert.That(sandbox.Mappings, Is.Empty);
    }

    [Test]
    public void A_mapping_that_overlaps_a_snapshot_is_refused_and_released()
    {
        ulong behindTheImage;
        using (Snapshot fresh = Sandbox.TakeSnapshot())
        {
            behindTheImage = Page + fresh.Size;
        }

        // One more page makes the image of the snapshot lie where the mapping lies.
        string path = _files.New("model", 0x8000);
        Sandbox.MapFile(path, behindTheImage);
        Sandbox.Call("MapPhysical", behindTheImage, 8 * Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        MappingOverlapException error = Assert.Throws<MappingOverlapException>(
            () => Target.Builder().WithFileMapping(path, behindTheImage).WithSnapshot(snapshot).Build())!;
        Sandbox.Restore(snapshot);

        Assert.That(error.Other, Does.Contain("image"));
        Assert.That(Peek(behindTheImage + (7 * Page)), Is.EqualTo(Word(0x7000)), "a restore unmaps it first");
        Assert.That(() => Sandbox.MapFile(path, behindTheImage), Throws.TypeOf<MappingOverlapException>());
        if (OperatingSystem.IsLinux())
        {
            Assert.That(Directory.GetFiles("/proc/self/fd").Select(fd => new FileInfo(fd).LinkTarget), Has.None.EqualTo(path));
        }
    }

    [Test]
    public void A_file_that_is_missing_is_reported_by_a_builder_with_a_snapshot()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        SandboxBuilder builder = Target.Builder()
            .WithSnapshot(snapshot).WithFileMapping(Path.Combine(_files.Directory, "missing"), Address);

        Assert.That(() => builder.Build(), Throws.TypeOf<FileMappingException>());
        Sandbox.Restore(snapshot);
        AssertUsable();
    }

    [Test]
    public void A_restored_guest_finds_in_its_table_what_the_table_held()
    {
        MultiUseSandbox sandbox = Build(b => b
            .WithConfiguration(new SandboxConfiguration { FileMappingTable = true })
            .WithFileMapping(_files.New("model", 0x1000), Address));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        string other = _files.New("other", 0x1000);
        sandbox.MapFile(other, Address * 2);
        Assert.That(sandbox.Call<ulong>("FindMapping", "other"), Is.EqualTo(Address * 2));

        sandbox.Restore(snapshot);
        sandbox.MapFile(other, Address * 2);

        Assert.That(sandbox.Call<ulong>("FindMapping", "model"), Is.EqualTo(Address));
        Assert.That(sandbox.Call<ulong>("FindMapping", "other"), Is.Zero);
        Assert.That(sandbox.Call<ulong>("MapAndRead", Address * 2), Is.EqualTo(Word(0)), "mapped it is nevertheless");
    }

    [Test]
    public void Mapping_and_unmapping_end_a_snapshot_being_of_an_unchanged_guest()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        Sandbox.MapFile(_files.New("model", 0x1000), Address);
        using Snapshot mapped = Sandbox.TakeSnapshot();
        Sandbox.UnmapFile(Address);
        using Snapshot unmapped = Sandbox.TakeSnapshot();

        Assert.That(mapped, Is.Not.EqualTo(first));
        Assert.That(unmapped, Is.Not.EqualTo(mapped));
        Assert.That((first.Generation, mapped.Generation, unmapped.Generation), Is.EqualTo((1UL, 2UL, 3UL)));
    }

    private static unsafe nint AddressOf(System.Buffers.MemoryHandle pin) => (nint)pin.Pointer;

    private Snapshot SnapshotWithPageOf(string name, byte[] content)
    {
        MultiUseSandbox sandbox = Build(b => b.WithFileMapping(_files.New(name, content), Address));
        sandbox.Call("MapPhysical", Address, Page);
        return sandbox.TakeSnapshot();
    }

    private ulong Peek(ulong address) => Sandbox.Call<ulong>("Peek", address);

    /// <summary>The guest finds nothing at a physical address. It is poisoned by looking.</summary>
    private void AssertNoMemoryAt(ulong address)
    {
        MemoryAccessViolationException error =
            AssertPoisons<MemoryAccessViolationException>(s => s.Call<ulong>("MapAndRead", address));
        Assert.That(error.Label, Is.Null);
    }
}
