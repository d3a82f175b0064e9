using System.Buffers.Binary;
using Hyperlight.Host.Elf;
using Symbol = Hyperlight.Tests.Host.Elf.TestSymbols.Symbol;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>Addresses of a guest are described as its file has them, with the names of functions; hostile tables give no name.</summary>
[TestFixture]
internal sealed class SymbolTableTests
{
    private const ulong LoadAddress = 0x1000;

    private static readonly byte[] Code = TestElf.OfCode(new byte[0x1000]).Build();

    [TestCase(0x100UL, "0x100 in first+0x0")]
    [TestCase(0x11FUL, "0x11f in first+0x1f")]
    [TestCase(0x120UL, "0x120", Description = "behind the function's end")]
    [TestCase(0x0FFUL, "0xff", Description = "before the first function")]
    [TestCase(0x234UL, "0x234 in label+0x34", Description = "a symbol without a size")]
    [TestCase(0x305UL, "0x305 in function+0x5", Description = "a function rather than another symbol of the same address")]
    public void An_address_is_described_by_its_function(ulong address, string description) => Assert.That(
        Describe(TestSymbols.AppendTo(Code,
        [
            new("file.c", 0, 0, Type: 4, Section: 0xFFF1),
            new("undefined", 0x110, 0x10, Section: 0),
            new("constant", 0x110, 0, Type: 0, Section: 0xFFF1),
            new("label", 0x200, 0, Type: 0),
            new("data", 0x300, 0x10, Type: 1),
            new("function", 0x300, 0x10),
            new("first", 0x100, 0x20),
        ]), address), Is.EqualTo(description));

    [Test]
    public void An_address_outside_the_image_is_not_described()
    {
        ElfImage image = Parse(TestSymbols.AppendTo(Code, [new("first", 0, 0)]));

        Assert.That(image.Describe(LoadAddress - 1, LoadAddress), Is.Null);
        Assert.That(image.Describe(LoadAddress + 0x1000, LoadAddress), Is.Null);
        Assert.That(image.Describe(ulong.MaxValue, LoadAddress), Is.Null);
    }

    [Test]
    public void Addresses_of_an_image_that_is_linked_elsewhere_are_those_of_the_file()
    {
        byte[] elf = new TestElf { Segments = [new(0x20_0000, new byte[0x100])], Entry = 0x20_0000 }.Build();

        Assert.That(Describe(TestSymbols.AppendTo(elf, [new("f", 0x20_0010, 8)]), 0x12), Is.EqualTo("0x200012 in f+0x2"));
    }

    [Test]
    public void Dynamic_symbols_are_used_if_there_are_no_others() => Assert.That(
        Describe(TestSymbols.AppendTo(Code, [new("exported", 0x100, 8)], TestSymbols.DynamicSymbols), 0x100), Is.EqualTo("0x100 in exported+0x0"));

    [Test]
    public void A_name_is_bounded_and_printable()
    {
        string description = Describe(TestSymbols.AppendTo(Code, [new("\u001b[2J\n\u00e4" + new string('n', 10_000), 0x100, 8)]), 0x100)!;

        Assert.That(description, Does.StartWith("0x100 in ?[2J??nnn").And.EndsWith("n+0x0"));
        Assert.That(description, Has.Length.EqualTo("0x100 in ".Length + 200 + "+0x0".Length));
    }

    [Test]
    public void A_name_outside_the_string_table_is_unknown() => Assert.That(
        Describe(TestSymbols.AppendTo(Code, [new("f", 0x100, 8) { NameOffset = uint.MaxValue }]), 0x100), Is.EqualTo("0x100 in ?+0x0"));

    [TestCase(1, 24, long.MaxValue, Description = "the table's offset")]
    [TestCase(1, 24, -1L, Description = "the table's offset")]
    [TestCase(1, 32, long.MaxValue, Description = "the table's size")]
    [TestCase(1, 32, 1L << 30, Description = "the table's size")]
    [TestCase(1, 40, uint.MaxValue, Description = "the section with the names")]
    [TestCase(2, 24, long.MaxValue, Description = "the offset of the names")]
    [TestCase(2, 32, long.MaxValue, Description = "the size of the names")]
    public void A_table_beyond_the_file_gives_no_name(int section, int field, long value)
    {
        byte[] file = TestSymbols.AppendTo(Code, [new("f", 0x100, 8)], spoil: headers =>
            BinaryPrimitives.WriteInt64LittleEndian(headers.AsSpan((section * 64) + field), value));

        Assert.That(Describe(file, 0x100), Is.EqualTo("0x100"));
    }

    [Test]
    public void The_work_is_bounded_however_many_sections_share_a_table()
    {
        const int Sections = 0xFFFE;
        byte[] headers = new byte[Sections * 64];
        byte[] table = new byte[24 << 16];
        for (int i = 1; i < Sections; i++)
        {
            TestSymbols.WriteHeader(headers, i, TestSymbols.SymbolTable, Code.Length, table.Length, link: i);
        }

        byte[] file = [.. Code, .. table, .. headers];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), Code.Length + table.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), Sections);
        var parsing = new ElfParsing();
        var elf = new ElfReader(file, "", parsing);

        Assert.That(ElfSymbolTable.Find(elf, ElfHeader.Parse(elf), 0), Is.Null);
        Assert.That(parsing.Steps, Is.LessThanOrEqualTo((table.Length / 24) + 2));
    }

    [Test]
    public void A_table_of_too_many_symbols_is_not_read()
    {
        byte[] table = new byte[24 * ((1 << 20) + 1)];
        byte[] headers = new byte[2 * 64];
        TestSymbols.WriteHeader(headers, 1, TestSymbols.SymbolTable, Code.Length, table.Length, link: 0);
        byte[] file = [.. Code, .. table, .. headers];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), Code.Length + table.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), 2);
        var parsing = new ElfParsing();
        var elf = new ElfReader(file, "", parsing);

        Assert.That(ElfSymbolTable.Find(elf, ElfHeader.Parse(elf), 0), Is.Null);
        Assert.That(parsing.Steps, Is.LessThanOrEqualTo(2));
    }

    [Test]
    public void Damaged_tables_give_a_description_and_no_other_exception()
    {
        byte[] file = TestSymbols.AppendTo(Code, [.. Enumerable.Range(0, 20).Select(i => new Symbol($"function{i}", (ulong)(i * 0x80), 0x80))]);
        const int Seed = 11;
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        int named = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. file];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                // Only what is behind the code, so that the file remains a guest.
                damaged[random.Next(Code.Length, damaged.Length)] = (byte)random.Next(256);
            }

            string? description;
            try
            {
                description = Describe(damaged, (ulong)random.Next(0x1000));
            }
            catch (GuestBinaryException)
            {
                // A section header that became a version note.
                continue;
            }

            Assert.That(description, Does.Match(@"^0x[0-9a-f]+( in [ -~]{0,200}\+0x[0-9a-f]+)?$"));
            named += description!.Contains(" in ", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.That(named, Is.GreaterThan(1000));
    }

    private static string? Describe(byte[] file, ulong offset) => Parse(file).Describe(LoadAddress + offset, LoadAddress);

    private static ElfImage Parse(byte[] file) => ElfImage.Parse(file, "test", new ElfParsing());
}
