using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Whp;

/// <summary>Sections of memory: guards, sharing, and the fresh section that replaces a large one.</summary>
[TestFixture]
internal sealed class WhpMemoryTests
{
    private const nuint LargeSize = SectionMemoryRegion.ReplaceThreshold;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(4)]
    [TestCase(0)]
    public void Large_memory_that_is_cleared_gets_a_fresh_section_in_its_machine(int surrogates)
    {
        using WhpMachine machine = Machine(surrogates);
        using IMemoryRegion region = machine.Whp.Hypervisor.AllocateMemory(LargeSize);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, MemoryFlags.Read | MemoryFlags.Write));
        region.Write(0, [1]);
        nint former = region.Handle.DangerousGetHandle();
        Assert.That(Load(machine), Is.EqualTo(1));

        region.Clear(0, LargeSize);

        Assert.That(region.Handle.DangerousGetHandle(), Is.Not.EqualTo(former));
        Assert.That(Load(machine), Is.Zero);
        region.Write(0, [2]);
        Assert.That(Load(machine), Is.EqualTo(2), "the guest sees the fresh memory");
        Assert.That(machine.Windows.Violations, Is.Empty);
    }

    [Test]
    public void Memory_that_is_small_or_cleared_in_part_or_mapped_twice_is_cleared_in_place()
    {
        using WhpMachine machine = Machine(4);
        using IMemoryRegion small = machine.Whp.Hypervisor.AllocateMemory(0x1000);
        using IMemoryRegion large = machine.Whp.Hypervisor.AllocateMemory(LargeSize);
        AssertClearsInPlace(small, 0x1000);
        AssertClearsInPlace(large, 0x1000);
        machine.Machine.MapMemory(1, GuestMapping.Whole(0x1000_0000, large, MemoryFlags.Read));
        machine.Machine.MapMemory(2, GuestMapping.Whole(0x2000_0000, large, MemoryFlags.Read));
        AssertClearsInPlace(large, LargeSize);
    }

    [TestCase(4, 5000, 2)]
    [TestCase(0, 5000, 2)]
    [TestCase(4, 100, 1)]
    [TestCase(0, 100, 1)]
    [TestCase(4, 8192, 1)]
    public void A_guest_sees_a_copy_of_a_page_in_which_a_file_ends(int surrogates, int length, int ranges)
    {
        using TestFiles files = new();
        using WhpMachine machine = Machine(surrogates);
        using IPreparedMapping prepared = machine.Whp.Hypervisor.PrepareFileMapping(files.New("file", length), LongModeGuest.UnmappedAddress);
        int before = machine.Platform.MappedRanges;

        machine.Machine.MapMemory(1, prepared.ToGuestMapping());

        Assert.That(machine.Platform.MappedRanges, Is.EqualTo(before + ranges));
        int word = (length - 1) / sizeof(ulong) * sizeof(ulong);
        byte[] end = new byte[sizeof(ulong)];
        TestFiles.Content(length).AsSpan(word).CopyTo(end);
        Assert.That(Load(machine, (uint)word), Is.EqualTo(BitConverter.ToUInt64(end)));
        if (length % GuestPage.Size != 0)
        {
            Assert.That(Load(machine, (uint)GuestPage.RoundUp((ulong)length) - sizeof(ulong)), Is.Zero);
        }

        machine.Machine.UnmapMemory(1);
        Assert.That(machine.Platform.MappedRanges, Is.EqualTo(before));
        Assert.Throws<InvalidOperationException>(() => machine.Machine.UnmapMemory(1));
        Assert.That(machine.Windows.Violations, Is.Empty);
    }

    [Test]
    public void Large_memory_that_no_machine_maps_is_replaced_too()
    {
        using SimulatedWhp whp = new();
        using IMemoryRegion region = whp.Hypervisor.AllocateMemory(LargeSize);
        region.Write(5, [1]);
        region.Clear(0, LargeSize);
        byte[] read = new byte[6];
        region.Read(0, read);
        Assert.That(read, Is.All.Zero);
        Assert.That(whp.Windows.LocalViews, Is.EqualTo(1));
    }

    [TestCase("WHvUnmapGpaRange")]
    [TestCase("WHvMapGpaRange")]
    [TestCase("CreateFileMappingW")]
    [TestCase("VirtualProtect")]
    public void A_fresh_section_that_is_refused_leaves_the_former_memory_mapped(string call)
    {
        FailurePlan plan = new();
        SimulatedWindows windows = new();
        SimulatedWinHv platform = new(windows);
        using WhpHypervisor whp = new(
            new FailingWinHv(platform, plan),
            new FailingWindows(windows, plan),
            new WhpOptions(static _ => null) { MaxSurrogates = 0 },
            string.Empty);
        using IMemoryRegion region = whp.AllocateMemory(LargeSize);
        using IVirtualMachine machine = whp.CreateVirtualMachine(new VirtualMachineOptions());
        machine.MapMemory(0, GuestMapping.Whole(0x1000_0000, region, MemoryFlags.Read));
        region.Write(0, [7]);
        plan.FailNext(call);

        Assert.That(
            () => region.Clear(0, LargeSize), Throws.TypeOf<HypervisorException>().With.Property("Operation").EqualTo(call));

        byte[] read = new byte[1];
        region.Read(0, read);
        Assert.That(read[0], Is.EqualTo(7), "it is not cleared");
        Assert.That((platform.MappedRanges, windows.LocalViews), Is.EqualTo((1, 1)));
        region.Clear(0, LargeSize);
        region.Read(0, read);
        Assert.That(read[0], Is.Zero, "the next attempt succeeds");
    }

    [Test]
    public void Memory_that_was_made_read_only_is_shared_by_guests_and_cannot_be_written()
    {
        using WhpMachine first = Machine(4);
        using IMemoryRegion shared = first.Whp.Hypervisor.AllocateMemory(0x1000);
        shared.Write(0, [42]);
        shared.MakeReadOnly();
        Assert.That(() => shared.Write(0, [1]), Throws.TypeOf<NotSupportedException>());
        Assert.That(() => shared.Clear(0, 1), Throws.TypeOf<NotSupportedException>());

        using LongModeGuest second = new(first.Whp.Hypervisor, first.Guest.Memory.GetSpan(0x8000, 32));
        foreach (LongModeGuest guest in new[] { first.Guest, second })
        {
            guest.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, shared, MemoryFlags.Read));
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(42));
        }
    }

    [Test]
    public void A_machine_keeps_memory_that_was_disposed()
    {
        using WhpMachine machine = Machine(4);
        IMemoryRegion region = machine.Whp.Hypervisor.AllocateMemory(0x1000);
        region.Write(0, [9]);
        machine.Machine.MapMemory(1, GuestMapping.Whole(LongModeGuest.UnmappedAddress, region, MemoryFlags.Read));
        region.Dispose();
        Assert.That(Load(machine), Is.EqualTo(9));
        int views = machine.Windows.LocalViews;
        machine.Machine.UnmapMemory(1);
        Assert.That(machine.Windows.LocalViews, Is.EqualTo(views - 1));
    }

    [Test]
    public void A_dropped_machine_is_collected_with_all_its_resources()
    {
        using SimulatedWhp whp = new();
        Drop(whp);
        for (int i = 0; i < 100 && whp.Platform.Partitions + whp.Windows.RemoteViews + whp.Windows.LocalViews > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }

        Assert.That((whp.Platform.Partitions, whp.Windows.RemoteViews, whp.Windows.LocalViews), Is.EqualTo((0, 0, 0)));
        using IVirtualMachine next = whp.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        Assert.That(whp.Windows.CreatedProcesses, Is.EqualTo(1), "its process is used again");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Drop(SimulatedWhp whp)
    {
        LongModeGuest guest = new(whp.Hypervisor, static code => code.hlt());
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    private static WhpMachine Machine(int surrogates) => new(
        static code =>
        {
            code.mov(rax, LongModeGuest.UnmappedAddress);
            code.mov(rbx, __[rax + rcx]);
            code.hlt();
        },
        options: new WhpOptions(static _ => null) { MaxSurrogates = surrogates });

    /// <summary>What the guest reads at the address that the test maps.</summary>
    private static ulong Load(WhpMachine machine, uint offset = 0)
    {
        machine.Guest.Restart();
        machine.Machine.SetGeneralRegisters(machine.Machine.GetGeneralRegisters() with { Rcx = offset });
        Assert.That(machine.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return machine.Machine.GetGeneralRegisters().Rbx;
    }

    private static void AssertClearsInPlace(IMemoryRegion region, nuint length)
    {
        nint address = region.Handle.DangerousGetHandle();
        region.Write(5, [1]);
        region.Clear(0, length);
        byte[] read = new byte[6];
        region.Read(0, read);
        Assert.That(read, Is.All.Zero);
        Assert.That(region.Handle.DangerousGetHandle(), Is.EqualTo(address));
    }
}
