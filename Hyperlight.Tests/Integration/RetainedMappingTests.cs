using Hyperlight.Abstractions;
using static Hyperlight.Tests.Integration.TestFiles;

namespace Hyperlight.Tests.Integration;

/// <summary>Files that stay mapped when a snapshot is restored.</summary>
internal sealed class RetainedMappingTests(TestTarget target) : GuestTest(target)
{
    private const ulong Address = 0x1_0000_0000;
    private const ulong Page = GuestPage.Size;
    private const ulong Mark = 0x1122_3344_5566_7788;
    private const string Label = "image";

    private TestFiles _files = null!;

    [SetUp]
    public void CreateFiles() => _files = new TestFiles();

    [TearDown]
    public void DeleteFiles() => _files.Dispose();

    [Test]
    public void A_file_stays_mapped_and_the_snapshot_does_not_contain_it()
    {
        const int pages = 16;
        using Snapshot before = Sandbox.TakeSnapshot();
        SandboxMapping mapping = Sandbox.MapRetainedFile(_files.New("file", pages * (int)Page), Address, Label);
        Sandbox.Call("MapPhysical", Address, pages * Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        for (int i = 0; i < 2; i++)
        {
            Sandbox.Restore(snapshot);
            Assert.That(Sandbox.Mappings, Is.EqualTo(new[] { mapping }));
            Assert.That(Peek(Address + (5 * Page) + 8), Is.EqualTo(Word((5 * (int)Page) + 8)));
        }

        Assert.That(snapshot.Size, Is.LessThan(before.Size + (pages * Page / 2)));
    }

    [Test]
    public void Restoring_allocates_nothing_for_it()
    {
        const int count = 200;
        using Snapshot without = Sandbox.TakeSnapshot();
        long expected = Measure(without);
        Sandbox.MapRetainedFile(_files.New("file", 0x1000), Address, Label);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Assert.That(Measure(snapshot), Is.EqualTo(expected));

        long Measure(Snapshot snapshot)
        {
            long before = 0;
            for (int i = 0; i < 2 * count; i++)
            {
                if (i == count)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }

                Sandbox.Restore(snapshot);
            }

            return (GC.GetAllocatedBytesForCurrentThread() - before) / count;
        }
    }

    [Test]
    public void Writes_are_undone_and_never_reach_the_file()
    {
        string path = _files.New("file", 0x2000);
        Sandbox.MapRetainedFile(path, Address, Label);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        Sandbox.Call("Poke", Address, Mark);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("Poke", Address, ~Mark);
        Sandbox.Call("Poke", Address + Page, ~Mark);

        for (int i = 0; i < 2; i++)
        {
            Sandbox.Restore(snapshot);
            Assert.That((Peek(Address), Peek(Address + 8), Peek(Address + Page)), Is.EqualTo((Mark, Word(8), Word(0x1000))));
            Sandbox.Call("Poke", Address + Page, ~Mark);
        }

        Assert.That(File.ReadAllBytes(path), Is.EqualTo(Content(0x2000)));
    }

    [Test]
    public void Pages_that_the_guest_maps_after_a_restore_are_those_of_the_file()
    {
        Sandbox.MapRetainedFile(_files.New("file", 0x3000), Address, Label);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<ulong>("MapAndRead", Address + (2 * Page)), Is.EqualTo(Word(0x2000)));
    }

    [Test]
    public void Other_mappings_are_unmapped_by_a_restore()
    {
        Sandbox.MapFile(_files.New("first", 0x1000), 2 * Address);
        Sandbox.MapRetainedFile(_files.New("file", 0x1000), Address, Label);
        Sandbox.MapFile(_files.New("last", 0x1000), 3 * Address);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Mappings.Select(static mapping => mapping.Label), Is.EqualTo(new[] { Label }));
    }

    [Test]
    public void A_snapshot_fits_a_sandbox_that_maps_the_same_file()
    {
        string path = _files.New("file", 0x1000);
        Sandbox.MapRetainedFile(path, Address, Label);
        Sandbox.Call("MapPhysical", Address, Page);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MultiUseSandbox other = Build(static _ => { });
        other.MapRetainedFile(path, Address, Label);

        other.Restore(snapshot);

        Assert.That(other.Call<ulong>("Peek", Address + 8), Is.EqualTo(Word(8)));
    }

    [Test]
    public void A_snapshot_is_refused_by_a_sandbox_that_does_not_map_the_file()
    {
        string path = _files.New("file", 0x1000);
        Sandbox.MapRetainedFile(path, Address, Label);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        AssertRefused(static _ => { });
        AssertRefused(sandbox => sandbox.MapFile(path, Address, Label));
        AssertRefused(sandbox => sandbox.MapRetainedFile(path, Address, "other"));
        AssertRefused(sandbox => sandbox.MapRetainedFile(path, 2 * Address, Label));
        AssertRefused(sandbox => sandbox.MapRetainedFile(_files.New("larger", 0x1001), Address, Label));
        Assert.That(() => Build(builder => builder.WithSnapshot(snapshot)), Throws.TypeOf<SnapshotMismatchException>());

        void AssertRefused(Action<MultiUseSandbox> map)
        {
            MultiUseSandbox other = Build(static _ => { });
            map(other);
            SnapshotMismatchException error = Assert.Throws<SnapshotMismatchException>(() => other.Restore(snapshot))!;
            Assert.That(error.Mismatch, Is.EqualTo(SnapshotMismatch.Mappings));
            Assert.That(other.Call<int>("Add", 1, 2), Is.EqualTo(3), "it was not changed");
        }
    }

    [Test]
    public void A_snapshot_that_refers_to_a_file_is_saved_without_it_and_needs_it_when_it_is_loaded()
    {
        string path = _files.New("file", 0x2000);
        Sandbox.MapRetainedFile(path, Address, Label);
        Sandbox.Call("MapPhysical", Address, 2 * Page);
        Sandbox.Call("Poke", Address, Mark);
        string directory = Path.Combine(_files.Directory, "saved");
        using (Snapshot snapshot = Sandbox.TakeSnapshot())
        {
            snapshot.Save(directory);
        }

        using Snapshot loaded = Snapshot.Load(directory, hypervisor: Target.Hypervisor);
        MultiUseSandbox other = Build(static _ => { });
        SnapshotMismatchException error = Assert.Throws<SnapshotMismatchException>(() => other.Restore(loaded))!;
        other.MapRetainedFile(path, Address, Label);
        other.Restore(loaded);

        Assert.That(error.Mismatch, Is.EqualTo(SnapshotMismatch.Mappings));
        Assert.That(
            (other.Call<ulong>("Peek", Address), other.Call<ulong>("Peek", Address + 8), other.Call<ulong>("Peek", Address + Page)),
            Is.EqualTo((Mark, Word(8), Word(0x1000))));
    }

    [Test]
    public void A_file_that_was_unmapped_is_missing()
    {
        Sandbox.MapRetainedFile(_files.New("file", 0x1000), Address, Label);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Sandbox.UnmapFile(Address);

        Assert.That(() => Sandbox.Restore(snapshot), Throws.TypeOf<SnapshotMismatchException>());
    }

    private ulong Peek(ulong address) => Sandbox.Call<ulong>("Peek", address);
}
