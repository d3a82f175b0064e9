using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Abstractions;

/// <summary>Pages, labels, mappings and managed regions.</summary>
[TestFixture]
internal sealed class MemoryTests
{
    [TestCase(0UL, 0UL)]
    [TestCase(1UL, 0x1000UL)]
    [TestCase(0x1000UL, 0x1000UL)]
    [TestCase(0x1001UL, 0x2000UL)]
    public void Sizes_are_rounded_up_to_pages(ulong value, ulong expected) =>
        Assert.That(GuestPage.RoundUp(value), Is.EqualTo(expected));

    [Test]
    public void Rounding_does_not_wrap() => Assert.That(() => GuestPage.RoundUp(ulong.MaxValue), Throws.TypeOf<OverflowException>());

    [TestCase("/data/model.bin", null, "model.bin")]
    [TestCase("/data/model.bin", "weights", "weights")]
    [TestCase("/", null, "unknown")]
    [TestCase("/data/model.bin", "", "")]
    public void A_label_is_the_explicit_one_or_the_file_name(string path, string? label, string expected) =>
        Assert.That(MappingLabel.Choose(path, label), Is.EqualTo(expected));

    [Test]
    public void A_long_file_name_is_cut_between_characters()
    {
        // 62 bytes, then a character of two: the cut must not leave half of it.
        string name = new string('a', 62) + "ää";

        string label = MappingLabel.Choose("/data/" + name, null);

        Assert.That(Encoding.UTF8.GetByteCount(label), Is.EqualTo(62));
        Assert.That(MappingLabel.Choose("/data/" + new string('b', 63), null), Has.Length.EqualTo(63));
    }

    [Test]
    public void An_explicit_label_that_is_too_long_or_holds_nul_is_refused()
    {
        Assert.That(() => MappingLabel.Choose("f", new string('x', 64)), Throws.ArgumentException.With.Message.Contains("64 bytes"));
        Assert.That(() => MappingLabel.Choose("f", "a\0b"), Throws.ArgumentException.With.Message.Contains("NUL"));
        Assert.That(MappingLabel.Choose("f", new string('x', 63)), Has.Length.EqualTo(63));
    }

    /// <summary>Of the drivers that run guests in this process: the others' have tests of their own.</summary>
    private static IEnumerable<Func<IMemoryRegion>> WritableRegions() =>
        [() => new ManagedMemoryRegion(0x2000), () => new EmulatorHypervisor().AllocateMemory(0x2000)];

    [TestCaseSource(nameof(WritableRegions))]
    public void A_region_that_was_made_read_only_refuses_writes(Func<IMemoryRegion> allocate)
    {
        using IMemoryRegion region = allocate();
        region.Write(0x1000, [1, 2, 3]);

        region.MakeReadOnly();
        region.MakeReadOnly();

        var read = new byte[3];
        region.Read(0x1000, read);
        Assert.That(read, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(() => region.Write(0, new byte[1]), Throws.TypeOf<NotSupportedException>());
        Assert.That(() => region.Clear(0, 1), Throws.TypeOf<NotSupportedException>());
        Assert.That(() => region.GetSpan(0, 1), Throws.TypeOf<NotSupportedException>());
        region.Dispose();
        Assert.That(region.MakeReadOnly, Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(0x1000UL, 0u, 0u, "positive multiple")]
    [TestCase(0x1000UL, 0u, 0x800u, "positive multiple")]
    [TestCase(0x1001UL, 0u, 0x1000u, "0x1001")]
    [TestCase(0x1000UL, 0x10u, 0x1000u, "0x10 ")]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL, 0u, 0x2000u, "wraps around")]
    [TestCase(0x1000UL, 0x1000u, 0x2000u, "leaves its region")]
    [TestCase(0x1000UL, 0x3000u, 0x1000u, "leaves its region")]
    public void A_bad_mapping_is_refused(ulong address, uint offset, uint size, string reason)
    {
        using var region = new ManagedMemoryRegion(0x2000);
        var mapping = new GuestMapping(address, region, offset, size, MemoryFlags.Read);

        Assert.That(mapping.Validate, Throws.ArgumentException.With.Message.Contains(reason));
    }

    [Test]
    public void A_good_mapping_is_accepted()
    {
        using var region = new ManagedMemoryRegion(0x2000);

        Assert.That(GuestMapping.Whole(0x1000, region, MemoryFlags.Read).Validate, Throws.Nothing);
        Assert.That(new GuestMapping(0x1000, region, 0x1000, 0x1000, MemoryFlags.Read).Validate, Throws.Nothing);
        Assert.That(default(GuestMapping).Validate, Throws.ArgumentException);
    }

    [Test]
    public void A_managed_region_is_zeroed_page_aligned_and_bounded()
    {
        using var region = new ManagedMemoryRegion(0x2000);

        Assert.That((ulong)region.Handle.DangerousGetHandle() % 0x1000, Is.Zero);
        Assert.That(region.GetSpan(0, 0x2000).ToArray(), Is.All.Zero);
        region.Write(0x1FFE, [1, 2]);
        byte[] read = new byte[2];
        region.Read(0x1FFE, read);
        Assert.That(read, Is.EqualTo(new byte[] { 1, 2 }));
        region.Clear(0x1FFE, 1);
        Assert.That(region.GetSpan(0x1FFE, 2).ToArray(), Is.EqualTo(new byte[] { 0, 2 }));
        Assert.That(() => region.Write(0x1FFF, [1, 2]), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => region.Read(0x2001, []), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => region.Clear(nuint.MaxValue, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => { region.GetSpan(0, -1); }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_disposed_managed_region_is_refused()
    {
        var region = new ManagedMemoryRegion(0x1000);
        region.Dispose();
        region.Dispose();

        Assert.That(() => region.Write(0, [1]), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_disposed_managed_region_does_not_keep_its_bytes()
    {
        const int size = 64 << 20;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var region = new ManagedMemoryRegion(size);

        region.Dispose();

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(size / 2));
        GC.KeepAlive(region);
    }

    [TestCase(0UL, 0x10_0000_0000UL, true)]
    [TestCase(0xF_FFFF_F000UL, 0x1000UL, true)]
    [TestCase(0xF_FFFF_F000UL, 0x1001UL, false)]
    [TestCase(0xF_FFFF_F000UL, 0x2000UL, false)]
    [TestCase(0x10_0000_0000UL, 0UL, false)]
    [TestCase(0x1000UL, 0xFFFF_FFFF_FFFF_F000UL, false)]
    public void A_range_must_end_within_the_address_space_of_guests(ulong address, ulong size, bool fits) => Assert.That(
        () => GuestPhysicalSpace.CheckRange(address, (nuint)size),
        fits ? Throws.Nothing : Throws.TypeOf<ArgumentOutOfRangeException>());

    [TestCase(0u)]
    [TestCase(0x800u)]
    public void A_managed_region_of_a_bad_size_is_refused(uint size) =>
        Assert.That(() => new ManagedMemoryRegion(size), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
