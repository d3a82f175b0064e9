namespace Hyperlight.Tests.Integration;

/// <summary>Taking snapshots, going back to them, and starting from them.</summary>
internal sealed class SnapshotTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void Restoring_undoes_what_calls_did()
    {
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call<int>("IncrementCounter");
        Sandbox.Call<int>("IncrementCounter");

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1));
        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(2));
    }

    [Test]
    public void A_snapshot_does_not_affect_its_sandbox()
    {
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(2));
        Assert.That(Sandbox.Call<ulong>("GetGeneration"), Is.Zero, "the running guest's generation stays");
    }

    [Test]
    public void Snapshots_are_restored_forwards_and_backwards()
    {
        using Snapshot zero = Sandbox.TakeSnapshot();
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot one = Sandbox.TakeSnapshot();
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot two = Sandbox.TakeSnapshot();

        foreach ((Snapshot snapshot, int expected) in new[] { (one, 1), (zero, 0), (two, 2), (two, 2), (one, 1) })
        {
            Sandbox.Restore(snapshot);
            Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(expected));
            Sandbox.Call<int>("IncrementCounter");
        }
    }

    [Test]
    public void The_generation_counts_snapshots_and_is_seen_by_the_guest()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot second = Sandbox.TakeSnapshot();
        Assert.That((first.Generation, second.Generation), Is.EqualTo((1UL, 2UL)));

        Sandbox.Restore(second);
        Assert.That(Sandbox.Call<ulong>("GetGeneration"), Is.EqualTo(2));

        Sandbox.Restore(first);
        Assert.That(Sandbox.Call<ulong>("GetGeneration"), Is.EqualTo(1));
        using Snapshot next = Sandbox.TakeSnapshot();
        Assert.That(next.Generation, Is.EqualTo(2), "it counts on from the restored snapshot");
    }

    [Test]
    public void An_unchanged_guest_gives_the_same_snapshot_again()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        using (Snapshot again = Sandbox.TakeSnapshot())
        {
            Assert.That(again, Is.EqualTo(first));
        }

        Sandbox.Call<int>("IncrementCounter");
        using Snapshot changed = Sandbox.TakeSnapshot();
        Assert.That(changed, Is.Not.EqualTo(first));

        Sandbox.Restore(first);
        using Snapshot restored = Sandbox.TakeSnapshot();
        Assert.That(restored, Is.EqualTo(first));
    }

    [Test]
    public void A_disposed_snapshot_is_not_given_again()
    {
        Snapshot first = Sandbox.TakeSnapshot();
        first.Dispose();

        using Snapshot second = Sandbox.TakeSnapshot();

        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That(() => Sandbox.Restore(first), Throws.TypeOf<ObjectDisposedException>());
        Sandbox.Restore(second);
        AssertUsable();
    }

    [Test]
    public void A_sandbox_outlives_the_snapshot_it_was_restored_to()
    {
        Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);
        snapshot.Dispose();

        Assert.That(Sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        using Snapshot next = Sandbox.TakeSnapshot();
        Sandbox.Restore(next);
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1));
    }

    [Test]
    public void Snapshots_of_restored_guests_do_not_grow()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        ulong size = first.Size;
        Snapshot last = Sandbox.TakeSnapshot();
        for (int i = 0; i < 20; i++)
        {
            Sandbox.Restore(last);
            Sandbox.Call<int>("IncrementCounter");
            Snapshot next = Sandbox.TakeSnapshot();
            last.Dispose();
            last = next;
        }

        // The guest copies a page when it first writes it after a restore; the copy takes the place of the original.
        Assert.That(last.Size, Is.LessThanOrEqualTo(size + (4 * 4096)));
        last.Dispose();
    }

    [Test]
    public void The_time_stamp_counter_never_goes_back_behind_a_snapshot()
    {
        ulong before = Sandbox.Call<ulong>("ReadMsr", 0x10U);
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Assert.That(Build(b => b.WithSnapshot(snapshot)).Call<ulong>("ReadMsr", 0x10U), Is.GreaterThan(before));
        MultiUseSandbox younger = Build(_ => { });
        younger.Restore(snapshot);
        Assert.That(younger.Call<ulong>("ReadMsr", 0x10U), Is.GreaterThan(before));
        Sandbox.Restore(snapshot);
        Assert.That(Sandbox.Call<ulong>("ReadMsr", 0x10U), Is.GreaterThan(before));
    }

    [Test]
    public void A_poisoned_sandbox_cannot_be_captured_but_restored()
    {
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        AssertPoisons<GuestAbortedException>(s => s.Call("NullWrite"));
        Assert.That(() => Sandbox.TakeSnapshot(), Throws.TypeOf<SandboxPoisonedException>());

        Sandbox.Restore(snapshot);

        AssertUsable();
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1));
    }

    [Test]
    public void A_cancelled_guest_can_be_restored()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        for (int i = 0; i < 3; i++)
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            Assert.That(() => Sandbox.Call("SpinForever", [], cancellation.Token), Throws.InstanceOf<OperationCanceledException>());

            Sandbox.Restore(snapshot);
            AssertUsable();
        }
    }

    [Test]
    public void A_guest_that_lost_its_descriptor_tables_can_be_restored()
    {
        byte[] before = Sandbox.Call<byte[]>("GetDescriptorTables");
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        AssertPoisons<UnexpectedVmExitException>(s =>
        {
            s.Call("DropDescriptorTables");
            s.Call("NullWrite");
        });

        Sandbox.Restore(snapshot);

        AssertUsable();
        Assert.That(Sandbox.Call<byte[]>("GetDescriptorTables"), Is.EqualTo(before));
    }

    [Test]
    public void A_snapshot_restores_into_another_sandbox_of_the_same_guest()
    {
        MultiUseSandbox other = Build(_ => { });
        Sandbox.Call<int>("IncrementCounter");
        other.Call<int>("IncrementCounter");
        other.Call<int>("IncrementCounter");
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        other.Restore(snapshot);

        Assert.That(other.Call<int>("IncrementCounter"), Is.EqualTo(2));
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1));
    }

    [Test]
    public void Sandboxes_start_from_a_snapshot_without_initialisation()
    {
        Sandbox.Call<int>("IncrementCounter");
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        MultiUseSandbox first = Build(b => b.WithSnapshot(snapshot));
        MultiUseSandbox second = Build(b => b.WithSnapshot(snapshot));

        Assert.That(first.Call<int>("IncrementCounter"), Is.EqualTo(2));
        Assert.That(second.Call<int>("GetCounter"), Is.EqualTo(1), "neither sees the other's writes");
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1));
        Assert.That(first.Call<ulong>("GetGeneration"), Is.EqualTo(snapshot.Generation));
        Assert.That(first.Guest, Is.SameAs(Sandbox.Guest));
    }

    [Test]
    public void Sandboxes_outlive_the_snapshot_they_start_from()
    {
        MultiUseSandbox sandbox;
        using (Snapshot snapshot = Sandbox.TakeSnapshot())
        {
            sandbox = Build(b => b.WithSnapshot(snapshot));
        }

        Sandbox.Dispose();
        Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        using Snapshot again = sandbox.TakeSnapshot();
        sandbox.Restore(again);
        Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(2));
    }

    [Test]
    public void Sandboxes_of_one_snapshot_share_its_memory()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        SandboxBuilder builder = Target.Builder().WithSnapshot(snapshot);
        using MultiUseSandbox first = builder.Build();
        using MultiUseSandbox second = builder.Build();
        second.Call<int>("IncrementCounter");
        second.Restore(snapshot);

        using Snapshot ofFirst = first.TakeSnapshot();
        using Snapshot ofSecond = second.TakeSnapshot();

        Assert.That(ofFirst, Is.EqualTo(snapshot));
        Assert.That(ofSecond, Is.EqualTo(snapshot));
    }

    [Test]
    public void A_snapshot_of_another_layout_is_refused()
    {
        using Snapshot snapshot = Build(b => b.WithConfiguration(new SandboxConfiguration { HeapSize = 0x30000 })).TakeSnapshot();
        Sandbox.Call<int>("IncrementCounter");

        Assert.That(
            () => Sandbox.Restore(snapshot),
            Throws.TypeOf<SnapshotMismatchException>()
                .With.Property(nameof(SnapshotMismatchException.Mismatch)).EqualTo(SnapshotMismatch.Layout));
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(1), "nothing changed");
    }

    [Test]
    public void A_snapshot_needs_its_host_functions()
    {
        using Snapshot snapshot = Build(b => b
            .WithHostFunction("Missing", (int x) => x)
            .WithHostFunction("Changed", (int x) => x)
            .WithHostFunction("Same", (int x) => x)).TakeSnapshot();
        Sandbox.WithHostFunction("Changed", (long x) => (int)x);
        Sandbox.WithHostFunction("Same", (int x) => x);
        Sandbox.WithHostFunction("Further", (int x) => x);

        SnapshotMismatchException exception = Assert.Throws<SnapshotMismatchException>(() => Sandbox.Restore(snapshot))!;

        Assert.That(exception.Mismatch, Is.EqualTo(SnapshotMismatch.HostFunctions));
        Assert.That(exception.MissingFunctions, Is.EqualTo(new[] { "Int Missing(Int)" }));
        Assert.That(exception.ChangedFunctions, Is.EqualTo(new[] { "Int Changed(Int)" }));
        Assert.That(
            () => Target.Builder().WithSnapshot(snapshot).Build(), Throws.TypeOf<SnapshotMismatchException>());

        Sandbox.RemoveHostFunction("Changed");
        Sandbox.WithHostFunction("Changed", (int x) => x);
        Sandbox.WithHostFunction("Missing", (int x) => x);
        Sandbox.Restore(snapshot);
        AssertUsable();
    }

    [Test]
    public void Neither_works_during_a_call()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var refusals = new List<Exception?>();
        Sandbox.WithHostFunction("HostEchoInt", (int x) =>
        {
            refusals.Add(Assert.Throws<SandboxInUseException>(() => Sandbox.TakeSnapshot()));
            refusals.Add(Assert.Throws<SandboxInUseException>(() => Sandbox.Restore(snapshot)));
            return x;
        });

        Assert.That(Sandbox.Call<int>("RoundTripInt", 5), Is.EqualTo(5));
        Assert.That(refusals, Has.Count.EqualTo(2));
    }

    [Test]
    public void Neither_works_after_disposal()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Dispose();

        Assert.That(() => Sandbox.TakeSnapshot(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Sandbox.Restore(snapshot), Throws.TypeOf<ObjectDisposedException>());
    }
}
