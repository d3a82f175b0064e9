namespace Hyperlight.Tests.Integration;

/// <summary>Code on the heap: a page fault by default, allowed by an option, which snapshots keep.</summary>
internal sealed class ExecutableHeapTests(TestTarget target) : GuestTest(target)
{
    private const byte PageFault = 14;

    private static readonly SandboxConfiguration Executable = new() { ExecutableHeap = true };

    [Test]
    public void By_default_the_heap_is_data()
    {
        GuestAbortedException error = AssertPoisons<GuestAbortedException>(s => s.Call<int>("RunOnHeap"));

        Assert.That(error.ExceptionVector, Is.EqualTo(PageFault));
    }

    [Test]
    public void With_the_option_code_on_the_heap_runs() =>
        Assert.That(Build(b => b.WithConfiguration(Executable)).Call<int>("RunOnHeap"), Is.EqualTo(42));

    [Test]
    public void The_stack_stays_data_with_the_option()
    {
        MultiUseSandbox sandbox = Build(b => b.WithConfiguration(Executable));

        Assert.That(
            () => sandbox.Call("JumpToData"),
            Throws.TypeOf<GuestAbortedException>().With.Property(nameof(GuestAbortedException.ExceptionVector)).EqualTo(PageFault));
    }

    [Test]
    public void Snapshots_keep_the_option()
    {
        MultiUseSandbox sandbox = Build(b => b.WithConfiguration(Executable));
        sandbox.Call<ulong>("AllocateHeap", 0x1000);
        using Snapshot snapshot = sandbox.TakeSnapshot();

        Assert.That(sandbox.Call<int>("RunOnHeap"), Is.EqualTo(42));
        sandbox.Restore(snapshot);
        Assert.That(sandbox.Call<int>("RunOnHeap"), Is.EqualTo(42));
        Assert.That(Build(b => b.WithSnapshot(snapshot)).Call<int>("RunOnHeap"), Is.EqualTo(42));
    }

    [Test]
    public void Saved_snapshots_keep_the_option()
    {
        using var files = new TestFiles();
        string path = Path.Combine(files.Directory, "snapshots");
        using (Snapshot snapshot = Build(b => b.WithConfiguration(Executable)).TakeSnapshot())
        {
            snapshot.Save(path);
        }

        using Snapshot loaded = Snapshot.Load(path, hypervisor: Target.Hypervisor);
        Assert.That(Build(b => b.WithSnapshot(loaded)).Call<int>("RunOnHeap"), Is.EqualTo(42));
        MultiUseSandbox same = Build(b => b.WithConfiguration(Executable));
        same.Restore(loaded);
        Assert.That(same.Call<int>("RunOnHeap"), Is.EqualTo(42));
    }

    [Test]
    public void A_snapshot_does_not_bring_the_option_into_a_sandbox_without_it()
    {
        using Snapshot snapshot = Build(b => b.WithConfiguration(Executable)).TakeSnapshot();

        Assert.That(
            () => Sandbox.Restore(snapshot),
            Throws.TypeOf<SnapshotMismatchException>()
                .With.Property(nameof(SnapshotMismatchException.Mismatch)).EqualTo(SnapshotMismatch.Layout));
        AssertUsable();
    }
}
