using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>What a restore does to the machine, over a mocked driver.</summary>
internal sealed class RestoreTests : ScriptedSandboxTest
{
    private const ulong ZeroFlag = 0x40;

    [Test]
    public void The_call_after_a_restore_asks_the_guest_to_flush_and_no_other_does()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Call();
        Sandbox.Restore(snapshot);
        Call();
        Call();

        Assert.That(Guest.RegistersSet.Select(r => r.Rflags & ZeroFlag).TakeLast(3), Is.EqualTo(new ulong[] { 0, ZeroFlag, 0 }));
        Assert.That(Guest.RegistersSet[^2], Is.EqualTo(new GeneralRegisters
        {
            Rip = ScriptedMachine.DispatchAddress,
            Rsp = ScriptedMachine.StackPointer,
            Rflags = 2 | ZeroFlag,
        }));
    }

    [Test]
    public void The_first_call_of_a_sandbox_from_a_snapshot_asks_the_guest_to_flush()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var other = new ScriptedMachine();
        using MultiUseSandbox sandbox = other.Builder().WithSnapshot(snapshot).Build();
        other.Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(other.RegistersSet, Has.Count.EqualTo(1), "the guest's initialisation is not run");
        Assert.That(other.RegistersSet[0].Rflags, Is.EqualTo(2 | ZeroFlag));
    }

    [Test]
    public void The_processor_is_reset_in_order()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var order = new List<string>();
        Guest.Machine.Setup(m => m.DiscardPendingState()).Callback(() => order.Add("pending"));
        Guest.Machine.Setup(m => m.SetDebugRegisters(It.Ref<DebugRegisters>.IsAny)).Callback(() => order.Add("debug"));
        Guest.Machine.Setup(m => m.SetXcr0(It.IsAny<ulong>())).Callback(() => order.Add("xcr0"));
        Guest.Machine.Setup(m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny)).Callback(() => order.Add("special"));

        Sandbox.Restore(snapshot);

        Assert.That(order, Is.EqualTo(new[] { "pending", "debug", "xcr0", "special" }));
    }

    [TestCase(null, 3UL)]
    [TestCase(7UL, 7UL)]
    public void Xcr0_is_that_of_the_state_or_else_that_of_a_fresh_machine(ulong? ofState, ulong expected)
    {
        var guest = new ScriptedMachine();
        guest.Machine.Setup(m => m.GetXcr0()).Returns(3);
        using MultiUseSandbox sandbox = guest.Build();
        guest.Machine.Setup(m => m.GetXcr0()).Returns(0xE7);
        using Snapshot taken = sandbox.TakeSnapshot();
        ProcessorState processor = taken.Content.Processor with { Xcr0 = ofState };
        using var snapshot = new Snapshot(taken.Acquire() with { Processor = processor });

        sandbox.Restore(snapshot);

        guest.Machine.Verify(m => m.SetXcr0(expected), Times.Once);
        guest.Machine.Verify(m => m.SetXcr0(It.IsAny<ulong>()), Times.Once);
    }

    [Test]
    public void A_host_function_that_was_added_is_in_the_next_snapshot()
    {
        using Snapshot before = Sandbox.TakeSnapshot();
        using Snapshot same = Sandbox.TakeSnapshot();
        Sandbox.WithHostFunction("Added", (int x) => x);
        using Snapshot after = Sandbox.TakeSnapshot();

        Assert.That(same, Is.EqualTo(before));
        Assert.That(before.Content.HostFunctions.Select(f => f.Name), Does.Not.Contain("Added"));
        Assert.That(after.Content.HostFunctions.Select(f => f.Name), Does.Contain("Added"));
    }

    [Test]
    public void A_host_function_that_was_removed_is_not_in_the_next_snapshot()
    {
        Sandbox.WithHostFunction("Removed", (int x) => x);
        using Snapshot before = Sandbox.TakeSnapshot();
        Sandbox.RemoveHostFunction("Removed");
        using Snapshot after = Sandbox.TakeSnapshot();

        Assert.That(before.Content.HostFunctions.Select(f => f.Name), Does.Contain("Removed"));
        Assert.That(after.Content.HostFunctions.Select(f => f.Name), Does.Not.Contain("Removed"));
    }

    [Test]
    public void After_a_call_and_after_a_mapping_the_next_snapshot_is_another()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        Call();
        using Snapshot afterCall = Sandbox.TakeSnapshot();
        Sandbox.MapFile("file", 0x1_0000_0000);
        using Snapshot afterMapping = Sandbox.TakeSnapshot();
        using Snapshot unchanged = Sandbox.TakeSnapshot();

        Assert.That(new[] { first, afterCall, afterMapping, unchanged }.Select(s => s.Generation), Is.EqualTo(new[] { 1, 2, 3, 3 }));
    }

    [Test]
    public void A_restore_leaves_the_log_level_of_the_sandbox_for_the_guests_c_runtime()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        foreach (GuestLogLevel level in Enum.GetValues<GuestLogLevel>())
        {
            var guest = new ScriptedMachine();
            guest.Initialise();
            using MultiUseSandbox sandbox = guest.Builder().WithConfiguration(new SandboxConfiguration { GuestLogLevel = level }).Build();
            for (int i = 0; i < 2; i++)
            {
                sandbox.Restore(snapshot);
                Assert.That(Word(guest, 0x30), Is.EqualTo((1UL << 32) | (ulong)level));
                guest.Scratch.Clear(guest.Scratch.Size - 0x30, sizeof(ulong));
            }
        }
    }

    [Test]
    public void A_host_function_that_has_other_types_now_is_refused()
    {
        Sandbox.WithHostFunction("F", (int x) => x);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.RemoveHostFunction("F");
        Sandbox.WithHostFunction("F", (long x) => (int)x);

        SnapshotMismatchException exception = Assert.Throws<SnapshotMismatchException>(() => Sandbox.Restore(snapshot))!;

        Assert.That(exception.Mismatch, Is.EqualTo(SnapshotMismatch.HostFunctions));
        Assert.That(exception.Message, Does.Contain("Int F(Int)"));
        AssertUsable();
    }

    [Test]
    public void A_register_that_the_hypervisor_does_not_have_is_refused_before_anything_changes()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        AssertUsable();
        ProcessorState processor = snapshot.Content.Processor with { Msrs = [new ModelSpecificRegister(0xC000_0103, 7)] };
        using var foreign = new Snapshot(snapshot.Acquire() with { Processor = processor });
        int mapped = Guest.Machine.Invocations.Count;

        SnapshotMismatchException exception = Assert.Throws<SnapshotMismatchException>(() => Sandbox.Restore(foreign))!;
        Assert.That(exception.Mismatch, Is.EqualTo(SnapshotMismatch.Registers));
        Assert.That(exception.Message, Does.Contain("0xC0000103"));
        Assert.That(Guest.Machine.Invocations, Has.Count.EqualTo(mapped));
        AssertUsable();
        var other = new ScriptedMachine();
        Assert.That(() => other.Builder().WithSnapshot(foreign).Build(), Throws.TypeOf<SnapshotMismatchException>());
        Assert.That(other.AllReleased);
    }

    [Test]
    public void A_restore_leaves_a_seed_for_the_guests_c_runtime()
    {
        Assert.That(SeedWord(Guest), Is.Zero, "a fresh guest has its seed as an argument");
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var words = new HashSet<ulong>();
        for (int i = 0; i < 4; i++)
        {
            Sandbox.Restore(snapshot);
            words.Add(SeedWord(Guest));
        }

        var other = new ScriptedMachine();
        using MultiUseSandbox sandbox = other.Builder().WithSnapshot(snapshot).Build();
        words.Add(SeedWord(other));

        Assert.That(words, Has.Count.EqualTo(5), "each is another");
        Assert.That(words.Select(w => w >> 32), Is.All.EqualTo(1), "the upper half says that the lower half is a seed");
    }

    [TestCase(0UL)]
    [TestCase(1UL)]
    [TestCase(ulong.MaxValue)]
    public void With_a_seed_of_the_application_start_and_restore_are_always_the_same(ulong seed)
    {
        (ulong AtStart, ulong AfterRestore) first = SeedsWith(seed);

        Assert.That(first.AtStart, Is.EqualTo(seed));
        Assert.That(first.AfterRestore >> 32, Is.EqualTo(1));
        Assert.That(SeedsWith(seed), Is.EqualTo(first));
        Assert.That(SeedsWith(seed ^ 2).AfterRestore, Is.Not.EqualTo(first.AfterRestore));
    }

    private static (ulong AtStart, ulong AfterRestore) SeedsWith(ulong seed)
    {
        var guest = new ScriptedMachine();
        guest.Initialise();
        using MultiUseSandbox sandbox = guest.Builder().WithConfiguration(new SandboxConfiguration { RandomSeed = seed }).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Restore(snapshot);
        ulong word = SeedWord(guest);
        sandbox.Restore(snapshot);
        Assert.That(SeedWord(guest), Is.EqualTo(word));
        return (guest.RegistersSet[0].Rsi, word);
    }

    private static ulong SeedWord(ScriptedMachine guest) => Word(guest, 0x28);

    private static ulong Word(ScriptedMachine guest, nuint belowEnd) =>
        BinaryPrimitives.ReadUInt64LittleEndian(guest.Scratch.GetSpan(guest.Scratch.Size - belowEnd, sizeof(ulong)));

    [Test]
    public void Images_that_sandboxes_share_are_read_only()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        GuestMapping fresh = Guest.Mappings[0];

        Assert.That(() => fresh.Region.Write(0, new byte[1]), Throws.TypeOf<NotSupportedException>());
        Assert.That(() => snapshot.Content.Image.Pages.Write(0, new byte[1]), Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void The_image_is_mapped_again_only_if_it_differs()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);
        Guest.Machine.Verify(m => m.UnmapMemory(0), Times.Once);

        Sandbox.Restore(snapshot);
        Guest.Machine.Verify(m => m.UnmapMemory(0), Times.Once);
        Guest.Machine.Verify(m => m.UnmapMemory(1), Times.Never, "scratch memory stays mapped");
    }

    [Test]
    public void All_memory_is_released_in_the_end()
    {
        using (Snapshot snapshot = Sandbox.TakeSnapshot())
        {
            Sandbox.Restore(snapshot);
            Call();
            using Snapshot second = Sandbox.TakeSnapshot();
            Sandbox.Restore(second);
            Sandbox.Restore(snapshot);
        }

        Assert.That(Guest.AllReleased, Is.False, "the sandbox uses a snapshot's memory");
        Sandbox.Dispose();
        Assert.That(Guest.AllReleased, Is.True);
    }

    /// <summary>A sandbox that is still referenced after its disposal must not keep the page tables of its guest.</summary>
    [Test]
    public void The_page_tables_of_an_image_are_forgotten_with_its_last_user()
    {
        GuestImage image;
        using (Snapshot snapshot = Sandbox.TakeSnapshot())
        {
            image = snapshot.Content.Image;
            Sandbox.Restore(snapshot);
        }

        Assert.That(image.PageTables.Length, Is.Positive, "the sandbox uses it");
        Sandbox.Dispose();
        Assert.That(image.PageTables.Length, Is.Zero);
    }

    [Test]
    public void A_snapshot_of_another_hypervisor_is_refused()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var other = new ScriptedMachine();
        other.Hypervisor.Setup(h => h.Name).Returns("other");
        using MultiUseSandbox sandbox = other.Build();

        foreach (Action refused in new Action[]
        {
            () => sandbox.Restore(snapshot),
            () => other.Builder().WithSnapshot(snapshot).Build(),
        })
        {
            Assert.That(refused, Throws.TypeOf<SnapshotMismatchException>()
                .With.Property(nameof(SnapshotMismatchException.Mismatch)).EqualTo(SnapshotMismatch.Hypervisor));
        }

        sandbox.Dispose();
        Assert.That(other.AllReleased, Is.True);
    }

    [Test]
    public void A_sandbox_from_a_snapshot_cannot_be_built_uninitialised()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        Assert.That(
            () => Guest.Builder().WithSnapshot(snapshot).BuildUninitialized(), Throws.TypeOf<InvalidOperationException>());
    }

    [Test]
    public void Fresh_sandboxes_of_one_guest_and_layout_share_its_image()
    {
        SandboxBuilder builder = Guest.Builder();
        Guest.Forget();
        Guest.Initialise();
        int before = Guest.Regions.Count;
        using MultiUseSandbox first = builder.Build();
        var second = new List<MultiUseSandbox>();
        Guest.Forget();
        Guest.Initialise();
        second.Add(builder.Build());
        Guest.Forget();
        Guest.Initialise();
        second.Add(builder.WithConfiguration(new SandboxConfiguration { HeapSize = 0x4000 }).Build());
        second.ForEach(s => s.Dispose());

        // Image and scratch; scratch alone; and both again for another layout.
        Assert.That(Guest.Regions.Count - before, Is.EqualTo(2 + 1 + 2));
    }

    private void Call()
    {
        Guest.Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
    }
}
