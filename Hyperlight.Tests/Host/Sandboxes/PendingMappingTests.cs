using Hyperlight.Abstractions;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Files that are given to a sandbox before it has a virtual machine.</summary>
[TestFixture]
internal sealed class PendingMappingTests
{
    private const ulong Address = 0x1000_0000;
    private const uint FileSize = ScriptedMachine.FileSize;
    private static readonly HypervisorException Refusal = new("mock", "KVM_SET_USER_MEMORY_REGION", 22, "EINVAL");

    private ScriptedMachine _guest = null!;

    [SetUp]
    public void CreateGuest() => _guest = new ScriptedMachine();

    [Test]
    public void Files_are_mapped_in_order_before_the_guest_executes_anything()
    {
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        SandboxMapping first = sandbox.MapFile("/b", Address + FileSize);
        SandboxMapping second = sandbox.MapFile("/a", Address, "label");
        ulong[] atFirstEntry = [];
        _guest.Initialise(look: () =>
            atFirstEntry = [.. _guest.Mappings.OrderBy(m => m.Key).Skip(2).Select(m => m.Value.GuestAddress)]);

        Assert.That(sandbox.Mappings, Is.EqualTo(new[] { first, second }));
        Assert.That(_guest.Mappings, Is.Empty, "there is no virtual machine yet");
        using MultiUseSandbox running = sandbox.Evolve();

        Assert.That(atFirstEntry, Is.EqualTo(new[] { Address + FileSize, Address }));
        Assert.That(running.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "b", "label" }));
        Assert.That(sandbox.Mappings, Is.Empty);
        Assert.That(_guest.Regions[^1].Handle.IsClosed, Is.False, "the running sandbox owns them");
        running.Dispose();
        Assert.That(_guest.AllReleased, Is.True);
    }

    [TestCase(0UL)]
    [TestCase(0x1000UL)]
    [TestCase(Address + FileSize - 0x1000)]
    [TestCase(Address - FileSize + 0x1000)]
    [TestCase(0x10_0000_0000UL - 0x4_8000 - 0x1000)]
    [TestCase(0xFEE0_0000UL)]
    public void A_mapping_over_addresses_in_use_is_refused(ulong address)
    {
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        sandbox.MapFile("a", Address);

        Assert.That(() => sandbox.MapFile("b", address), Throws.TypeOf<MappingOverlapException>());

        Assert.That(_guest.Regions[^1].Handle.IsClosed, Is.True);
        Assert.That(sandbox.Mappings, Has.Count.EqualTo(1));
    }

    [TestCase(0UL)]
    [TestCase(0x1000UL)]
    [TestCase(0x10_0000_0000UL)]
    public void An_address_that_hyperlight_host_accepts_and_no_guest_can_use_is_refused(ulong address)
    {
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        Type error = address == 0x10_0000_0000UL ? typeof(ArgumentOutOfRangeException) : typeof(MappingOverlapException);

        Assert.That(() => sandbox.MapFile("a", address), Throws.TypeOf(error));
        Assert.That(() => _guest.Builder().WithFileMapping("a", address).BuildUninitialized(), Throws.TypeOf(error));

        Assert.That(sandbox.Mappings, Is.Empty);
    }

    [Test]
    public void Disposal_releases_files_that_wait()
    {
        UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        sandbox.MapFile("a", Address);

        sandbox.Dispose();

        Assert.That(_guest.AllReleased, Is.True);
        Assert.That(() => sandbox.MapFile("b", Address), Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(2u)]
    [TestCase(3u)]
    [TestCase(4u)]
    public void The_first_failure_ends_it_and_everything_is_released(uint slot)
    {
        _guest.Machine.Setup(m => m.MapMemory(slot, It.Ref<GuestMapping>.IsAny)).Throws(Refusal);
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        for (uint i = 0; i < 3; i++)
        {
            sandbox.MapFile("a", Address + (i * FileSize));
        }

        Assert.That(() => sandbox.Evolve(), Throws.Exception.SameAs(Refusal));

        Assert.That(_guest.AllReleased, Is.True);
        _guest.Machine.Verify(m => m.Run(), Times.Never);
        _guest.Machine.Verify(m => m.MapMemory(slot + 1, It.Ref<GuestMapping>.IsAny), Times.Never);
        _guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void A_file_that_cannot_be_taken_over_ends_it_and_everything_is_released(int odd)
    {
        var released = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            Prepare($"{i}", Address + ((ulong)i * FileSize), canBeConsumed: i != odd, released);
        }

        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        for (int i = 0; i < 3; i++)
        {
            sandbox.MapFile($"{i}", Address + ((ulong)i * FileSize));
        }

        Assert.That(() => sandbox.Evolve(), Throws.Exception.SameAs(Refusal));

        Assert.That(released, Is.EquivalentTo(new[] { "0", "1", "2" }), "each of them once");
        Assert.That(_guest.AllReleased, Is.True);
        Assert.That(_guest.Mappings.Keys, Is.EqualTo(Enumerable.Range(0, 2 + odd)), "the odd one's slot was emptied, and no later one filled");
        _guest.Machine.Verify(m => m.Run(), Times.Never);
        _guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }

    [Test]
    public void A_guest_that_fails_to_initialise_keeps_no_file()
    {
        _guest.Then(VmExit.Shutdown);
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        sandbox.MapFile("a", Address);

        Assert.That(() => sandbox.Evolve(), Throws.TypeOf<GuestInitializationException>());

        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_cancelled_evolution_keeps_no_file()
    {
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        sandbox.MapFile("a", Address);

        Assert.That(() => sandbox.Evolve(new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void More_files_than_slots_are_a_typed_error()
    {
        _guest.Machine.Setup(m => m.MemorySlotLimit).Returns(3);
        using UninitializedSandbox sandbox = _guest.Builder().BuildUninitialized();
        sandbox.MapFile("a", Address);
        sandbox.MapFile("b", Address + FileSize);

        Assert.That(() => sandbox.Evolve(), Throws.TypeOf<MappingLimitException>().With.Property("Limit").EqualTo(1));

        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_builder_maps_its_files_into_each_sandbox()
    {
        SandboxBuilder builder = _guest.Builder().WithFileMapping("/a", Address).WithFileMapping("/b", Address + FileSize, "other");

        using UninitializedSandbox first = builder.BuildUninitialized();
        using UninitializedSandbox second = builder.BuildUninitialized();

        Assert.That(first.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "a", "other" }));
        Assert.That(second.Mappings, Is.EqualTo(first.Mappings));
    }

    [Test]
    public void A_builder_whose_file_does_not_fit_keeps_nothing()
    {
        SandboxBuilder builder = _guest.Builder().WithFileMapping("/a", Address).WithFileMapping("/b", Address);

        Assert.That(() => builder.BuildUninitialized(), Throws.TypeOf<MappingOverlapException>());

        Assert.That(_guest.Regions, Has.Count.EqualTo(4), "image, scratch memory and two files");
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void A_builder_refuses_what_no_file_can_make_valid()
    {
        SandboxBuilder builder = _guest.Builder();

        Assert.That(() => builder.WithFileMapping(string.Empty, Address), Throws.ArgumentException);
        Assert.That(() => builder.WithFileMapping("/a", Address + 1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => builder.WithFileMapping("/a", 1UL << 36), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => builder.WithFileMapping("/a", Address, "a\0"), Throws.ArgumentException);
    }

    /// <summary>Prepares a file whose owner at the end, the sandbox or the prepared mapping itself, says that it was released.</summary>
    private void Prepare(string path, ulong address, bool canBeConsumed, List<string> released)
    {
        var region = new Mock<IMemoryRegion>();
        region.Setup(r => r.Size).Returns(FileSize);
        region.Setup(r => r.Dispose()).Callback(() => released.Add(path));
        PreparedMapping whole = PreparedMapping.Prepare(path, address, null, _ => region.Object);
        var prepared = new Mock<IPreparedMapping>();
        prepared.Setup(p => p.GuestAddress).Returns(address);
        prepared.Setup(p => p.Size).Returns(FileSize);
        prepared.Setup(p => p.Label).Returns(path);
        prepared.Setup(p => p.ToGuestMapping()).Returns(whole.ToGuestMapping);
        prepared.Setup(p => p.Consume()).Returns(() => canBeConsumed ? whole.Consume() : throw Refusal);
        prepared.Setup(p => p.Dispose()).Callback(whole.Dispose);
        _guest.Hypervisor.Setup(h => h.PrepareFileMapping(path, address, null)).Returns(prepared.Object);
    }
}
