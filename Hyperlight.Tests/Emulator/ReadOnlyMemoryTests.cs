using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Machine;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Memory that is read-only is so for guests, and code in it is not compared with what was decoded.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class ReadOnlyMemoryTests(bool translates)
{
    private const ulong Address = 0x8_0000;
    private const uint Slot = 1;
    private const MemoryFlags All = MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute;

    private EmulatorHypervisor _hypervisor = null!;
    private SystemGuest _guest = null!;

    [SetUp]
    public void Create()
    {
        _hypervisor = new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = translates, HotThreshold = 2 });
        _guest = new SystemGuest(_hypervisor);
    }

    [TearDown]
    public void Destroy() => _guest.Dispose();

    [Test]
    public void A_guest_cannot_write_to_a_region_that_is_read_only_whatever_its_mapping_says()
    {
        using IMemoryRegion region = Region(1);
        region.MakeReadOnly();
        _guest.Machine.MapMemory(Slot, GuestMapping.Whole(Address, region, All));

        VmExit exit = _guest.RunKernel(static (c, _) => { c.mov(__byte_ptr[Address], 9); c.hlt(); });

        Assert.That(exit.Reason, Is.EqualTo(VmExitReason.MmioWrite));
        byte[] first = new byte[1];
        region.Read(0, first);
        Assert.That(first[0], Is.EqualTo(0xB8), "the first byte of MOV");
    }

    [Test]
    public void Code_of_a_region_that_is_read_only_gives_way_to_that_of_another_region()
    {
        foreach (uint value in new uint[] { 7, 8, 9 })
        {
            using IMemoryRegion region = Region(value);
            region.MakeReadOnly();
            _guest.Machine.MapMemory(Slot, GuestMapping.Whole(Address, region, MemoryFlags.Read | MemoryFlags.Execute));

            for (int i = 0; i < 4; i++)
            {
                Assert.That(CallCode(), Is.EqualTo(value));
            }

            _guest.Machine.UnmapMemory(Slot);
        }
    }

    [Test]
    public void Code_that_the_host_changes_is_executed_as_it_is_then()
    {
        using IMemoryRegion region = Region(7);
        _guest.Machine.MapMemory(Slot, GuestMapping.Whole(Address, region, All));
        for (uint value = 7; value < 12; value++)
        {
            region.Write(1, [(byte)value]);

            Assert.That(CallCode(), Is.EqualTo(value));
        }
    }

    [Test]
    public void Code_that_another_mapping_of_the_region_changes_is_executed_as_it_is_then()
    {
        // The region was writable when the first slot was filled: that slot stays writable.
        const ulong alias = Address + 0x1000;
        using IMemoryRegion region = Region(7);
        _guest.Machine.MapMemory(Slot, GuestMapping.Whole(alias, region, All));
        region.MakeReadOnly();
        _guest.Machine.MapMemory(Slot + 1, GuestMapping.Whole(Address, region, MemoryFlags.Read | MemoryFlags.Execute));
        Assert.That(CallCode(), Is.EqualTo(7));

        _guest.RunKernel(static (c, _) => { c.mov(__byte_ptr[alias + 1], 9); c.hlt(); });

        Assert.That(CallCode(), Is.EqualTo(9));
        _guest.Machine.UnmapMemory(Slot + 1);
    }

    /// <summary>A page with a function that returns a number.</summary>
    private IMemoryRegion Region(uint value)
    {
        IMemoryRegion region = _hypervisor.AllocateMemory(GuestPage.Size);
        region.Write(0, [0xB8, (byte)value, 0, 0, 0, 0xC3]);
        return region;
    }

    private ulong CallCode()
    {
        VmExit exit = _guest.RunKernel(static (c, _) =>
        {
            c.mov(ebx, (uint)Address);
            c.call(rbx);
            c.hlt();
        });
        Assert.That(exit, Is.EqualTo(VmExit.Halt));
        return _guest.Machine.GetGeneralRegisters().Rax;
    }
}
