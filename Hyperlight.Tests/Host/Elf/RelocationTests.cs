using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Elf;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>Every table of relocations is applied or refused by name, and so is every type.</summary>
[TestFixture]
internal sealed class RelocationTests
{
    private const byte Global = 0x10;
    private const byte Weak = 0x20;
    private const byte ThreadLocal = 0x16;
    private const byte IndirectFunction = 0x1A;
    private const ushort Defined = 1;
    private const ushort Undefined = 0;
    private const ushort Absolute = 0xFFF1;

    private static readonly uint[] AppliedTypes = [0, 1, 6, 7, 8];

    [Test]
    public void Relocations_for_procedures_are_applied()
    {
        byte[] memory = Load(new TestElfTables { Plt = [(0x10, 8, 0x42)] });

        Assert.That(WordAt(memory, 0x10), Is.EqualTo(0x1042));
    }

    [Test]
    public void Relative_relocations_without_type_are_applied()
    {
        byte[] data = new byte[0x400];
        foreach (int at in (int[])[0x10, 0x18, 0x28, 0x208, 0x210, 0x3F8])
        {
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(at), at);
        }

        // The first word; of the 63 behind it the first, the third and the last; a further word.
        byte[] memory = Load(new TestElfTables { Relr = [0x10, 1 | (1 << 1) | (1 << 3) | (1UL << 63), 0x3F8] }, data);

        Assert.That(WordAt(memory, 0x10), Is.EqualTo(0x1010));
        Assert.That(WordAt(memory, 0x18), Is.EqualTo(0x1018));
        Assert.That(WordAt(memory, 0x20), Is.Zero);
        Assert.That(WordAt(memory, 0x28), Is.EqualTo(0x1028));
        Assert.That(WordAt(memory, 0x208), Is.EqualTo(0x1208));
        Assert.That(WordAt(memory, 0x210), Is.EqualTo(0x210), "one behind the last of the 63");
        Assert.That(WordAt(memory, 0x3F8), Is.EqualTo(0x13F8));
    }

    [Test]
    public void Relative_relocations_without_type_go_on_behind_a_full_entry()
    {
        byte[] data = new byte[0x800];
        byte[] memory = Load(new TestElfTables { Relr = [0x8, ulong.MaxValue, ulong.MaxValue] }, data);

        // One word and twice 63, the first at 8.
        for (int at = 0; at < data.Length; at += 8)
        {
            Assert.That(WordAt(memory, at), at is >= 8 and < 8 + (127 * 8) ? Is.EqualTo(0x1000) : Is.Zero, $"{at:X}");
        }
    }

    [TestCase(1u, 0x1030UL, Description = "R_X86_64_64: symbol and addend")]
    [TestCase(6u, 0x1020UL, Description = "R_X86_64_GLOB_DAT: the symbol")]
    [TestCase(7u, 0x1020UL, Description = "R_X86_64_JUMP_SLOT: the symbol")]
    public void A_symbol_that_is_defined_is_resolved(uint type, ulong expected) =>
        Assert.That(Resolve(type, ("s", Global, Defined, 0x20)), Is.EqualTo(expected));

    [TestCase(1u, 0x10UL)]
    [TestCase(6u, 0UL)]
    [TestCase(7u, 0UL)]
    public void A_weak_symbol_that_is_not_defined_is_zero(uint type, ulong expected) =>
        Assert.That(Resolve(type, ("s", Weak, Undefined, 0x77)), Is.EqualTo(expected));

    [Test]
    public void An_absolute_symbol_does_not_move() => Assert.That(Resolve(1, ("s", Global, Absolute, 0x20)), Is.EqualTo(0x30));

    [Test]
    public void Without_a_symbol_the_addend_is_the_value()
    {
        byte[] memory = Load(new TestElfTables { Rela = [(0x10, TestElfTables.Info(1, 0), 0x1234)] });
        Assert.That(WordAt(memory, 0x10), Is.EqualTo(0x1234));
    }

    [TestCase(Global, Undefined, "'name', which is not defined")]
    [TestCase(ThreadLocal, Defined, "thread-local variable 'name'")]
    [TestCase(IndirectFunction, Defined, "'name', which guest code would have to choose")]
    [TestCase(Global, (ushort)0xFFF2, "'name' is in the unknown section 0xFFF2")]
    public void Any_other_symbol_is_refused_by_its_name(byte info, ushort section, string reason) =>
        AssertRefused(
            new TestElfTables { Rela = [(0x10, TestElfTables.Info(1, 1), 0)], Symbols = [("name", info, section, 0x20)] }, reason);

    [Test]
    public void A_symbol_that_is_not_there_is_refused() =>
        AssertRefused(new TestElfTables { Rela = [(0x10, TestElfTables.Info(1, uint.MaxValue), 0)], Symbols = [("s", Global, Defined, 0)] }, "symbol 4294967295");

    [Test]
    public void Every_other_type_is_refused_by_its_name()
    {
        for (uint type = 0; type < 64; type++)
        {
            if (!AppliedTypes.Contains(type))
            {
                string name = type < 39 ? $"R_X86_64_{ElfRelocationNames.Of(type).Split('_', 4)[3].Split(' ')[0]} ({type})" : $"unknown type {type}";
                AssertRefused(new TestElfTables { Rela = [(0x10, type, 0)] }, name);
                AssertRefused(new TestElfTables { Plt = [(0x10, type, 0)] }, name);
            }
        }

        AssertRefused(new TestElfTables { Rela = [(0x10, 5, 0)] }, "R_X86_64_COPY (5)");
        AssertRefused(new TestElfTables { Rela = [(0x10, 16, 0)] }, "R_X86_64_DTPMOD64 (16)");
        AssertRefused(new TestElfTables { Rela = [(0x10, 18, 0)] }, "R_X86_64_TPOFF64 (18)");
        AssertRefused(new TestElfTables { Rela = [(0x10, 36, 0)] }, "R_X86_64_TLSDESC (36)");
        AssertRefused(new TestElfTables { Rela = [(0x10, 37, 0)] }, "R_X86_64_IRELATIVE (37)");
    }

    [Test]
    public void Relocations_that_need_a_dynamic_linker_are_refused() =>
        AssertRefused(new TestElfTables { Needed = ["libc.so.6", "libm.so.6"] }, "shared library 'libc.so.6'");

    [TestCase(9UL, 23UL, "relocations have 23 bytes")]
    [TestCase(19UL, 8UL, "relocations have 8 bytes")]
    [TestCase(37UL, 4UL, "relocations have 4 bytes")]
    [TestCase(11UL, 16UL, "symbols have 16 bytes")]
    [TestCase(0x6000_000FUL, 0UL, "packed for Android")]
    [TestCase(0x6000_0011UL, 0UL, "packed for Android")]
    [TestCase(0x6FFF_E000UL, 0UL, "packed for Android")]
    [TestCase(8UL, 25UL, "not a multiple of 24")]
    [TestCase(8UL, 240UL, "outside every segment")]
    [TestCase(8UL, 0xFFFF_FFFF_FFFF_FFF0UL, "outside every segment")]
    [TestCase(20UL, 9UL, "unknown kind 9")]
    public void A_table_that_is_malformed_is_refused(ulong tag, ulong value, string reason) => AssertRefused(
        new TestElfTables { Rela = [(0x10, 8, 0)], Plt = [(0x10, 8, 0)], Other = [(tag, value)] }, reason);

    [TestCase(17UL, 18UL)]
    [TestCase(23UL, 2UL)]
    public void Relocations_without_addends_are_refused(ulong tag, ulong sizeTag)
    {
        // The entry is the 16 bytes at 0x40 of the segment.
        byte[] data = new byte[0x100];
        data[0x48] = 8;
        AssertRefused(new TestElfTables { Other = [(tag, 0x40), (sizeTag, 16), (20, 17)] }, "R_X86_64_RELATIVE (8) without an addend", data);
    }

    [Test]
    public void Relocations_without_type_must_ascend_and_be_in_the_file()
    {
        AssertRefused(new TestElfTables { Relr = [0x20, 0x10] }, "0x10");
        AssertRefused(new TestElfTables { Relr = [0x20, 0x20] }, "0x20");
        AssertRefused(new TestElfTables { Relr = [0x10_0000] }, "0x100000");
        AssertRefused(new TestElfTables { Relr = [0xF8, 3] }, "0x100");
        AssertRefused(new TestElfTables { Relr = [0xFFFF_FFFF_FFFF_FFF8, 3] }, "0xFFFFFFFFFFFFFFF8");
    }

    private static ulong Resolve(uint type, (string, byte, ushort, ulong) symbol) => WordAt(
        Load(new TestElfTables { Rela = [(0x10, TestElfTables.Info(type, 1), 0x10)], Symbols = [symbol] }), 0x10);

    private static TestElf Elf(TestElfTables tables, byte[]? data = null) =>
        new() { Segments = [new(0, data ?? new byte[0x100])], Tables = tables };

    private static byte[] Load(TestElfTables tables, byte[]? data = null)
    {
        GuestBinary guest = GuestBinary.FromBytes(Elf(tables, data).Build());
        using var region = new ManagedMemoryRegion((nuint)GuestPage.RoundUp(guest.Image.LoadedSize));
        guest.Image.Load(region, 0x1000);
        return region.GetSpan(0, (int)region.Size).ToArray();
    }

    private static void AssertRefused(TestElfTables tables, string reason, byte[]? data = null) =>
        Assert.That(() => GuestBinary.FromBytes(Elf(tables, data).Build()), Throws.TypeOf<GuestBinaryException>().With.Message.Contains(reason));

    private static ulong WordAt(byte[] memory, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(memory.AsSpan(offset));
}
