using System.Security.Cryptography;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>Restores on a machine that clears what its guest has written; the host clears what itself has written.</summary>
internal sealed class WriteTrackerTests
{
    private const uint ScratchSlot = 1;

    /// <summary>In no buffer, table or field: neither the host nor a guest of these tests writes there.</summary>
    private const nuint Untouched = 0x4_0000;

    private ScriptedMachine _guest = null!;
    private Mock<IWriteTracker> _tracker = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _guest = new ScriptedMachine();
        _tracker = _guest.Machine.As<IWriteTracker>();
        _guest.Initialise();

        // With a seed, so that every restore leaves the same bytes.
        _sandbox = _guest.Builder().WithConfiguration(new SandboxConfiguration { RandomSeed = 1 }).Build();
    }

    [TearDown]
    public void DisposeSandbox() => _sandbox.Dispose();

    [Test]
    public void The_machine_is_asked_and_nothing_else_is_cleared()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _guest.Scratch.Write(Untouched, [1]);

        _sandbox.Restore(snapshot);

        _tracker.Verify(t => t.ClearWritten(ScratchSlot), Times.Once);
        Assert.That(_guest.Scratch.GetSpan(Untouched, 1)[0], Is.EqualTo(1), "work in proportion to what was written");
    }

    [Test]
    public void The_machine_clears_before_the_host_writes()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(snapshot);
        byte[] expected = ReadScratch();
        _tracker.Setup(t => t.ClearWritten(ScratchSlot)).Callback(() => _guest.Scratch.Clear(0, _guest.Scratch.Size));

        _sandbox.Restore(snapshot);

        Assert.That(ReadScratch(), Is.EqualTo(expected));
    }

    [Test]
    public void Messages_that_the_host_has_written_are_cleared()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(snapshot);
        byte[] expected = ReadScratch();

        // The guest leaves the call where it is.
        _guest.Then(VmExit.Shutdown);
        Assert.That(() => _sandbox.Call("f", RandomNumberGenerator.GetBytes(5000)), Throws.InstanceOf<HyperlightException>());
        Assert.That(ReadScratch(), Is.Not.EqualTo(expected));
        _sandbox.Restore(snapshot);

        Assert.That(ReadScratch(), Is.EqualTo(expected));
    }

    [Test]
    public void Page_tables_that_were_longer_leave_nothing()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(snapshot);
        byte[] expected = ReadScratch();
        using var longer = new Snapshot(WithLongerTables(snapshot.Content));

        _sandbox.Restore(longer);
        Assert.That(ReadScratch(), Is.Not.EqualTo(expected));
        _sandbox.Restore(snapshot);

        Assert.That(ReadScratch(), Is.EqualTo(expected));
    }

    [Test]
    public void A_machine_that_fails_poisons_and_is_asked_again()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        var failure = new HypervisorException("mock", "clearing", 5, "EIO");
        _tracker.SetupSequence(t => t.ClearWritten(ScratchSlot)).Throws(failure).Pass();
        Assert.That(() => _sandbox.Restore(snapshot), Throws.Exception.SameAs(failure));
        Assert.That(_sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));

        _sandbox.Restore(snapshot);

        _guest.Answer(GoldenVectors.IntResult);
        Assert.That(_sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    private static SnapshotContent WithLongerTables(SnapshotContent content)
    {
        GuestImage image = content.Image;
        byte[] tables = [.. image.PageTables, .. RandomNumberGenerator.GetBytes(2 * GuestPage.Size)];
        var pages = new ManagedMemoryRegion(image.Pages.Size);
        return content with { Image = new GuestImage(image.Layout, pages, tables, image.EntryPoint, image.Generation) };
    }

    private byte[] ReadScratch()
    {
        byte[] bytes = new byte[(int)_guest.Scratch.Size];
        _guest.Scratch.Read(0, bytes);
        return bytes;
    }
}
