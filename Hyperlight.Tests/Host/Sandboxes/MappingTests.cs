using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Logging;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Files and host memory in a running sandbox, over a mocked driver: checks, atomicity, slots, ownership.</summary>
[TestFixture]
internal sealed class MappingTests : ScriptedSandboxTest
{
    private const ulong Address = 0x1000_0000;
    private const uint FileSize = ScriptedMachine.FileSize;
    private static readonly HypervisorException Refusal = new("mock", "KVM_SET_USER_MEMORY_REGION", 22, "EINVAL");

    private ManagedMemoryRegion LastRegion => Guest.Regions[^1];

    [Test]
    public void A_file_is_mapped_at_once_for_reading_and_executing()
    {
        SandboxMapping mapping = Sandbox.MapFile("/models/weights.bin", Address);

        Assert.That(mapping, Is.EqualTo(new SandboxMapping(
            "weights.bin", Address, FileSize, MemoryFlags.Read | MemoryFlags.Execute, MemoryRegionKind.Managed)));
        Assert.That(Guest.Mappings[2], Is.EqualTo(GuestMapping.Whole(Address, LastRegion, MemoryFlags.Read | MemoryFlags.Execute)));
        Assert.That(Sandbox.Mappings, Is.EqualTo(new[] { mapping }));
    }

    [Test]
    public void An_unmapped_file_is_released_and_its_slot_and_address_are_used_again()
    {
        Sandbox.MapFile("a", Address);
        Sandbox.MapFile("b", Address + FileSize);
        ManagedMemoryRegion first = Guest.Regions[^2];

        Sandbox.UnmapFile(Address);

        Assert.That(first.Handle.IsClosed, Is.True);
        Assert.That(Sandbox.Mappings.Select(m => m.Label), Is.EqualTo(new[] { "b" }));
        Assert.That(Guest.Mappings.Keys, Is.EquivalentTo(new uint[] { 0, 1, 3 }));
        Sandbox.MapFile("c", Address);
        Assert.That(Guest.Mappings.Keys, Is.EquivalentTo(new uint[] { 0, 1, 2, 3 }));
    }

    [Test]
    public void Disposal_releases_every_file()
    {
        Sandbox.MapFile("a", Address);
        Sandbox.MapFile("b", Address + FileSize);

        Sandbox.Dispose();

        Assert.That(Guest.AllReleased, Is.True);
    }

    [TestCase(0UL)]
    [TestCase(0x1000UL)]
    [TestCase(Address)]
    [TestCase(Address - 0x1000)]
    [TestCase(Address - FileSize + 0x1000)]
    [TestCase(Address + FileSize - 0x1000)]
    [TestCase(0x10_0000_0000UL - 0x4_8000)]
    [TestCase(0x10_0000_0000UL - 0x4_8000 - 0x1000)]
    [TestCase(0x10_0000_0000UL - 0x3000)]
    [TestCase(0xFEC0_0000UL, Description = "I/O APIC")]
    [TestCase(0xFEE0_0000UL, Description = "local APIC")]
    [TestCase(0xFEE0_0000UL - FileSize + 0x1000, Description = "ends in the local APIC")]
    [TestCase(0xFFFB_C000UL, Description = "identity map of KVM for real mode")]
    [TestCase(0xFFFB_F000UL, Description = "task state segment of KVM for real mode")]
    public void A_mapping_over_addresses_in_use_is_refused(ulong address)
    {
        Sandbox.MapFile("a", Address);

        MappingOverlapException error = Assert.Throws<MappingOverlapException>(() => Sandbox.MapFile("b", address))!;

        Assert.That(error.GuestAddress, Is.EqualTo(address));
        Assert.That(error.Message, Does.Contain($"0x{error.OtherAddress:X}").And.Contains("'b'"));
        Assert.That(LastRegion.Handle.IsClosed, Is.True);
        using var region = new ManagedMemoryRegion(FileSize);
        Assert.That(() => Sandbox.MapRegion(region, address), Throws.TypeOf<MappingOverlapException>());
        AssertUnchanged("a");
    }

    [TestCase(0x10_0000_0000UL)]
    [TestCase(0x10_0000_0000UL - 0x1000)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL)]
    public void A_mapping_beyond_the_physical_space_is_refused(ulong address)
    {
        using var region = new ManagedMemoryRegion(FileSize);

        Assert.That(() => Sandbox.MapFile("b", address), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Sandbox.MapRegion(region, address), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(Sandbox.Mappings, Is.Empty);
        AssertUsable();
    }

    [TestCase(Address - FileSize)]
    [TestCase(Address + FileSize)]
    [TestCase(0x10_0000_0000UL - 0x4_8000 - FileSize)]
    [TestCase(0xFEE0_0000UL - FileSize)]
    [TestCase(0xFEE0_1000UL)]
    [TestCase(0xFFFC_0000UL)]
    public void Adjacent_mappings_are_accepted(ulong address)
    {
        Sandbox.MapFile("a", Address);

        Assert.That(() => Sandbox.MapFile("b", address), Throws.Nothing);
    }

    [Test]
    public void The_image_ends_where_it_ends()
    {
        ulong end = Guest.Mappings[0].GuestAddress + Guest.Mappings[0].Size;

        Assert.That(() => Sandbox.MapFile("a", end - 0x1000), Throws.TypeOf<MappingOverlapException>());
        Assert.That(() => Sandbox.MapFile("a", end), Throws.Nothing);
    }

    [Test]
    public void If_the_hypervisor_refuses_a_mapping_the_sandbox_is_unchanged()
    {
        Sandbox.MapFile("a", Address);
        Guest.Machine.Setup(m => m.MapMemory(3, It.Ref<GuestMapping>.IsAny)).Throws(Refusal);

        Assert.That(() => Sandbox.MapFile("b", Address + FileSize), Throws.Exception.SameAs(Refusal));

        Assert.That(LastRegion.Handle.IsClosed, Is.True);
        AssertUnchanged("a");
    }

    [Test]
    public void A_slot_that_was_refused_is_used_by_the_next_mapping()
    {
        using var region = new ManagedMemoryRegion(0x1000);
        Guest.MapFailure = (2, Refusal);
        Assert.That(() => Sandbox.MapFile("a", Address), Throws.Exception.SameAs(Refusal));
        Assert.That(() => Sandbox.MapRegion(region, Address), Throws.Exception.SameAs(Refusal));
        Assert.That(region.Handle.IsClosed, Is.False, "it is the caller's");
        AssertUnchanged();

        Guest.MapFailure = null;
        Sandbox.MapRegion(region, Address);
        Sandbox.MapFile("a", Address + FileSize);

        Assert.That(Guest.Mappings.Keys, Is.EquivalentTo(new uint[] { 0, 1, 2, 3 }));
        Assert.That(Guest.Mappings[2].Region, Is.SameAs(region));
    }

    [Test]
    public void A_mapping_that_cannot_be_consumed_is_taken_back()
    {
        var prepared = new Mock<IPreparedMapping>();
        using var region = new ManagedMemoryRegion(0x1000);
        prepared.Setup(p => p.ToGuestMapping()).Returns(GuestMapping.Whole(Address, region, MemoryFlags.Read));
        prepared.Setup(p => p.Label).Returns("odd");
        prepared.Setup(p => p.GuestAddress).Returns(Address);
        prepared.Setup(p => p.Size).Returns(0x1000);
        prepared.Setup(p => p.Consume()).Throws<InvalidOperationException>();
        Guest.Hypervisor.Setup(h => h.PrepareFileMapping("odd", Address, null)).Returns(prepared.Object);

        Assert.That(() => Sandbox.MapFile("odd", Address), Throws.InvalidOperationException);

        prepared.Verify(p => p.Dispose(), Times.Once);
        AssertUnchanged();
    }

    [Test]
    public void A_refused_unmapping_keeps_the_mapping()
    {
        Sandbox.MapFile("a", Address);
        Guest.Machine.Setup(m => m.UnmapMemory(2)).Throws(Refusal);

        Assert.That(() => Sandbox.UnmapFile(Address), Throws.Exception.SameAs(Refusal));

        Assert.That(LastRegion.Handle.IsClosed, Is.False);
        AssertUnchanged("a");
    }

    [Test]
    public void An_unmapping_can_be_tried_again()
    {
        using var region = new ManagedMemoryRegion(0x1000);
        Sandbox.MapFile("a", Address);
        ManagedMemoryRegion file = LastRegion;
        Sandbox.MapRegion(region, Address + FileSize, label: "r");
        Guest.UnmapFailure = (2, Refusal);
        Assert.That(() => Sandbox.UnmapFile(Address), Throws.Exception.SameAs(Refusal));
        Guest.UnmapFailure = (3, Refusal);
        Assert.That(() => Sandbox.UnmapRegion(Address + FileSize), Throws.Exception.SameAs(Refusal));
        Assert.That(() => Sandbox.MapFile("b", Address), Throws.TypeOf<MappingOverlapException>(), "the file is still there");
        AssertUnchanged("a", "r");

        Guest.UnmapFailure = null;
        Sandbox.UnmapFile(Address);
        Sandbox.UnmapRegion(Address + FileSize);

        Assert.That(file.Handle.IsClosed, Is.True);
        Assert.That(region.Handle.IsClosed, Is.False);
        AssertUnchanged();
        Sandbox.MapFile("b", Address);
        Assert.That(Guest.Mappings.Keys, Is.SubsetOf(new uint[] { 0, 1, 2, 3 }), "freed slots are used again");
    }

    [Test]
    public void A_machine_that_cannot_be_disposed_keeps_no_file()
    {
        using var region = new ManagedMemoryRegion(0x1000);
        Sandbox.MapFile("a", Address);
        Sandbox.MapRegion(region, Address + FileSize);
        bool wereThere = false;
        Guest.Machine.Setup(m => m.Dispose()).Callback(() =>
        {
            wereThere = Guest.Regions.TrueForAll(r => !r.Handle.IsClosed);
            throw Refusal;
        });

        Assert.That(Sandbox.Dispose, Throws.Exception.SameAs(Refusal));

        Assert.That(wereThere, Is.True, "the machine goes before its memory");
        Assert.That(Guest.AllReleased, Is.True);
        Assert.That(region.Handle.IsClosed, Is.False);
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Disposed));
        Assert.That(Sandbox.Dispose, Throws.Nothing, "it is reported once");
    }

    [Test]
    public void The_hypervisors_slots_run_out_with_a_typed_error_before_it_is_asked()
    {
        var guest = new ScriptedMachine();
        guest.Machine.Setup(m => m.MemorySlotLimit).Returns(4);
        using MultiUseSandbox sandbox = guest.Build();
        sandbox.MapFile("a", Address);
        sandbox.MapFile("b", Address + FileSize);
        guest.Machine.Invocations.Clear();

        MappingLimitException error =
            Assert.Throws<MappingLimitException>(() => sandbox.MapFile("c", Address + (2 * FileSize)))!;

        Assert.That(error.Limit, Is.EqualTo(2));
        Assert.That(guest.Regions[^1].Handle.IsClosed, Is.True);
        guest.Machine.Verify(m => m.MapMemory(It.IsAny<uint>(), It.Ref<GuestMapping>.IsAny), Times.Never);
        sandbox.UnmapFile(Address);
        Assert.That(() => sandbox.MapFile("c", Address), Throws.Nothing);
    }

    [Test]
    public void Host_memory_stays_its_owners()
    {
        using var region = new ManagedMemoryRegion(0x2000);

        SandboxMapping mapping = Sandbox.MapRegion(region, Address, label: "mine");

        Assert.That(mapping, Is.EqualTo(new SandboxMapping("mine", Address, 0x2000, MemoryFlags.Read, MemoryRegionKind.Managed)));
        Assert.That(Guest.Mappings[2], Is.EqualTo(GuestMapping.Whole(Address, region, MemoryFlags.Read)));
        Sandbox.UnmapRegion(Address);
        Assert.That(Guest.Mappings, Does.Not.ContainKey(2u));
        Sandbox.MapRegion(region, Address);
        Sandbox.Dispose();
        Assert.That(region.Handle.IsClosed, Is.False);
    }

    [TestCase(MemoryFlags.None)]
    [TestCase(MemoryFlags.Write)]
    [TestCase(MemoryFlags.Execute)]
    [TestCase(MemoryFlags.Read | MemoryFlags.Write)]
    [TestCase(MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute)]
    public void Host_memory_is_never_writable(MemoryFlags permissions)
    {
        using var region = new ManagedMemoryRegion(0x1000);

        Assert.That(() => Sandbox.MapRegion(region, Address, permissions), Throws.ArgumentException);
        AssertUnchanged();
    }

    [TestCase(0x1001UL)]
    [TestCase(0x10_0000_0000UL)]
    [TestCase(0xF_FFFF_F000UL)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL)]
    public void Host_memory_lies_on_pages_of_guest_physical_space(ulong address)
    {
        using var region = new ManagedMemoryRegion(0x2000);

        Assert.That(() => Sandbox.MapRegion(region, address), Throws.TypeOf<ArgumentOutOfRangeException>());
        AssertUnchanged();
    }

    [Test]
    public void A_label_of_host_memory_obeys_the_rules_of_labels()
    {
        using var region = new ManagedMemoryRegion(0x1000);

        Assert.That(() => Sandbox.MapRegion(region, Address, label: "a\0b"), Throws.ArgumentException);
        Assert.That(() => Sandbox.MapRegion(region, Address, label: new string('a', 64)), Throws.ArgumentException);
    }

    [Test]
    public void Files_and_regions_are_not_mixed_up()
    {
        using var region = new ManagedMemoryRegion(0x2000);
        Sandbox.MapFile("a", Address);
        Sandbox.MapRegion(region, Address + FileSize, label: "r");

        Assert.That(() => Sandbox.UnmapRegion(Address), Throws.ArgumentException);
        Assert.That(() => Sandbox.UnmapFile(Address + FileSize), Throws.ArgumentException);
        Assert.That(() => Sandbox.UnmapFile(Address + 0x1000), Throws.ArgumentException, "only the first byte names a mapping");
        Assert.That(() => Sandbox.UnmapFile(0x1000), Throws.ArgumentException, "the image is not a mapping");
        AssertUnchanged("a", "r");
    }

    [Test]
    public void A_forbidden_write_names_the_mapping_and_what_it_permits()
    {
        Sandbox.MapFile("a", Address, "weights");
        Guest.Then(VmExit.MmioWrite(Address + 0x2FFF, 1, 1));

        MemoryAccessViolationException error = Assert.Throws<MemoryAccessViolationException>(() => Sandbox.Call("f"))!;

        Assert.That(error.Label, Is.EqualTo("weights"));
        Assert.That(error.Address, Is.EqualTo(Address + 0x2FFF));
        Assert.That(error.Attempted, Is.EqualTo(MemoryFlags.Write));
        Assert.That(error.Permitted, Is.EqualTo(MemoryFlags.Read | MemoryFlags.Execute));
        Assert.That(error.Message, Does.Contain("'weights'").And.Contains("write"));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [TestCase(Address - 1)]
    [TestCase(Address + FileSize)]
    public void An_access_outside_all_mappings_names_no_mapping(ulong address)
    {
        Sandbox.MapFile("a", Address);
        Guest.Then(VmExit.MmioRead(address, 1));

        Assert.That(
            () => Sandbox.Call("f"), Throws.TypeOf<MemoryAccessViolationException>().With.Property("Label").Null);
    }

    [Test]
    public void A_poisoned_sandbox_refuses_mappings()
    {
        using var region = new ManagedMemoryRegion(0x1000);
        Sandbox.MapFile("a", Address);
        Guest.Then(VmExit.Shutdown);
        Assert.That(() => Sandbox.Call("f"), Throws.Exception);

        Assert.That(() => Sandbox.MapFile("b", 0x2000_0000), Throws.TypeOf<SandboxPoisonedException>());
        Assert.That(() => Sandbox.UnmapFile(Address), Throws.TypeOf<SandboxPoisonedException>());
        Assert.That(() => Sandbox.MapRegion(region, 0x2000_0000), Throws.TypeOf<SandboxPoisonedException>());
        Assert.That(Sandbox.Mappings, Has.Count.EqualTo(1));
    }

    [Test]
    public void Mappings_are_refused_during_a_call_and_after_disposal()
    {
        Exception? during = null;
        Guest.Then(() =>
        {
            during = Assert.Catch(() => Sandbox.MapFile("a", Address));
            return VmExit.Shutdown;
        });
        Assert.That(() => Sandbox.Call("f"), Throws.Exception);
        Assert.That(during, Is.TypeOf<SandboxInUseException>());

        Sandbox.Dispose();
        Assert.That(() => Sandbox.MapFile("a", Address), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Sandbox.UnmapFile(Address), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Sandbox.Mappings, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_cleanup_that_fails_is_logged_and_never_thrown()
    {
        var guest = new ScriptedMachine();
        var loggers = new RecordingLoggers(LogLevel.Debug);
        var region = new Mock<IMemoryRegion>();
        using var memory = new ManagedMemoryRegion(0x1000);
        region.Setup(r => r.Size).Returns(0x1000);
        region.Setup(r => r.Handle).Returns(memory.Handle);
        region.Setup(r => r.Dispose()).Throws(Refusal);
        guest.Hypervisor.Setup(h => h.PrepareFileMapping("a", It.IsAny<ulong>(), null))
            .Returns((string path, ulong address, string? label) => PreparedMapping.Prepare(path, address, label, _ => region.Object));
        using MultiUseSandbox sandbox = guest.Initialise().Builder().WithLogging(loggers).Build();

        sandbox.MapFile("a", Address);
        Assert.That(() => sandbox.UnmapFile(Address), Throws.Nothing);
        Assert.That(() => sandbox.MapFile("a", 0x1000), Throws.TypeOf<MappingOverlapException>());
        sandbox.MapFile("a", Address);
        Assert.That(sandbox.Dispose, Throws.Nothing);

        Assert.That(
            loggers.Library.Count(r => r.Level == LogLevel.Warning && r.Text.Contains("mapping a ", StringComparison.Ordinal)),
            Is.EqualTo(3));
        region.Verify(r => r.Dispose(), Times.Exactly(3));
    }

    [Test]
    public void A_label_that_was_cut_is_logged()
    {
        var guest = new ScriptedMachine();
        var loggers = new RecordingLoggers(LogLevel.Debug);
        using MultiUseSandbox sandbox = guest.Initialise().Builder().WithLogging(loggers).Build();

        sandbox.MapFile("/short/name", Address);
        Assert.That(loggers.Library.Where(r => r.Level == LogLevel.Warning), Is.Empty);
        string label = sandbox.MapFile("/long/" + new string('x', 100), Address + FileSize).Label;

        Assert.That(label, Is.EqualTo(new string('x', 63)));
        Assert.That(loggers.Library.Single(r => r.Level == LogLevel.Warning).Text, Does.Contain(label).And.Contains("/long/"));
    }

    private void AssertUnchanged(params string[] labels)
    {
        Assert.That(Sandbox.Mappings.Select(m => m.Label), Is.EqualTo(labels));
        Assert.That(Guest.Mappings, Has.Count.EqualTo(2 + labels.Length));
        AssertUsable();
    }
}
