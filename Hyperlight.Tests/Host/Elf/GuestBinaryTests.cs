using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>What is accepted as a guest, and how it is loaded.</summary>
[TestFixture]
internal sealed class GuestBinaryTests
{
    private static readonly byte[] Code = [0x90, 0x90, 0xF4];

    [Test]
    public void A_minimal_guest_is_accepted()
    {
        GuestBinary guest = GuestBinary.FromBytes(TestElf.OfCode(Code).Build());

        Assert.That(guest.Image.LoadedSize, Is.EqualTo(3));
        Assert.That(guest.Image.EntryOffset, Is.Zero);
        Assert.That(guest.AbiVersion, Is.Null);
    }

    [TestCase("0.15.0")]
    [TestCase("0.16.3")]
    [TestCase("1.0.0-beta")]
    public void The_version_note_is_read(string version) =>
        Assert.That(GuestBinary.FromBytes(TestElf.OfCode(Code, version).Build()).AbiVersion, Is.EqualTo(version));

    [Test]
    public void Segments_are_placed_and_the_rest_is_zero()
    {
        var elf = new TestElf
        {
            Segments = [new(0x2000, [1, 2, 3]) { MemorySize = 0x1000 }, new(0x4000, [4, 5]) { MemorySize = 0x10 }],
            Entry = 0x2001,
        };
        byte[] memory = Load(elf, out GuestBinary guest);

        Assert.That(guest.Image.EntryOffset, Is.EqualTo(1));
        Assert.That(guest.Image.LoadedSize, Is.EqualTo(0x2010));
        Assert.That(memory[..4], Is.EqualTo(new byte[] { 1, 2, 3, 0 }));
        Assert.That(memory[0x2000..0x2003], Is.EqualTo(new byte[] { 4, 5, 0 }));
        Assert.That(memory.Sum(b => b), Is.EqualTo(15));
    }

    [TestCase(0UL)]
    [TestCase(0x400000UL, Description = "linked elsewhere than at zero: the base is taken off")]
    public void Relative_relocations_point_into_the_loaded_image(ulong linkBase)
    {
        var elf = new TestElf
        {
            Segments = [new(linkBase, new byte[0x100])],
            Relocations = [(linkBase + 0x10, 8, linkBase + 0x42), (linkBase + 0x20, 0, 0x1234)],
            Entry = linkBase,
        };
        byte[] memory = Load(elf, out _);

        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(memory.AsSpan(0x10)), Is.EqualTo(0x1042));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(memory.AsSpan(0x20)), Is.Zero, "R_X86_64_NONE is ignored");
    }

    [Test]
    public void A_missing_file_is_refused()
    {
        const string path = "/no/such/guest.elf";

        Assert.That(
            () => GuestBinary.FromFile(path),
            Throws.TypeOf<GuestBinaryException>()
                .With.Property(nameof(GuestBinaryException.BinarySource)).EqualTo(path)
                .And.InnerException.InstanceOf<IOException>());
    }

    [Test]
    public void A_directory_is_refused() =>
        Assert.That(() => GuestBinary.FromFile(Path.GetTempPath()), Throws.TypeOf<GuestBinaryException>());

    [Test]
    public void Alignment_within_a_page_is_kept()
    {
        byte[] memory = Load(new TestElf { Segments = [new(0x2340, [1, 2, 3])], Entry = 0x2341 }, out GuestBinary guest);

        Assert.That(guest.Image.EntryOffset, Is.EqualTo(0x341));
        Assert.That(memory[0x340..0x343], Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void A_guest_of_a_fixed_address_is_loaded_there()
    {
        var elf = new TestElf
        {
            Type = 2,
            Segments = [new(0x400010, new byte[0x100])],
            Relocations = [(0x400020, 8, 0x400042)],
            Entry = 0x400010,
        };
        byte[] memory = Load(elf, out GuestBinary guest);

        Assert.That(guest.Image.EntryOffset, Is.EqualTo(0x3FF010));
        Assert.That(guest.Image.UnusedSize, Is.EqualTo(0x3FF000));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(memory.AsSpan(0x3FF020)), Is.EqualTo(0x400042), "nothing moves");
    }

    [Test]
    public void An_ELF_interpreter_without_dynamic_libraries_is_ignored() => Assert.That(
        GuestBinary.FromBytes(new TestElf { Segments = [new(0, Code)], OtherHeaders = [(3, 8, 8)] }.Build()).Image.LoadedSize, Is.EqualTo(3));

    [Test]
    public void Thread_local_storage_without_variables_is_none() => Assert.That(
        GuestBinary.FromBytes(new TestElf { Segments = [new(0, Code)], OtherHeaders = [(7, 0, 0)] }.Build()).Image.LoadedSize, Is.EqualTo(3));

    [TestCaseSource(nameof(BadFiles))]
    public void A_bad_file_is_refused(byte[] file, string reason) =>
        Assert.That(
            () => GuestBinary.FromBytes(file, "bad.elf"),
            Throws.TypeOf<GuestBinaryException>().With.Message.Contains(reason).And.Message.Contains("bad.elf"));

    [Test]
    public void Every_truncation_of_a_guest_is_refused_or_loads()
    {
        byte[] file = TestElf.OfCode(Code, "0.15.0").Build();
        int refused = 0;
        for (int length = 0; length < file.Length; length++)
        {
            refused += IsRefused(file.AsSpan(0, length)) ? 1 : 0;
        }

        // The section headers come last; of the last one only the first 40 of 64 bytes say anything.
        Assert.That(refused, Is.EqualTo(file.Length - 24));
    }

    [Test]
    public void Mutated_guests_are_refused_or_load()
    {
        const int seed = 7;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] file = new TestElf
        {
            Segments = [new(0, new byte[0x100]), new(0x1000, new byte[0x80]) { MemorySize = 0x2000 }],
            Relocations = [(0x10, 8, 0x42), (0x1010, 8, 0x43)],
            Version = "0.15.0",
        }.Build();
        int refused = 0;
        for (int i = 0; i < 50_000; i++)
        {
            byte[] mutated = [.. file];
            for (int k = random.Next(1, 4); k > 0; k--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            refused += IsRefused(mutated) ? 1 : 0;
        }

        Assert.That(refused, Is.InRange(1, 49_999));
    }

    private static IEnumerable<TestCaseData> BadFiles()
    {
        static TestCaseData Case(string name, TestElf elf, string reason) => new TestCaseData(elf.Build(), reason).SetArgDisplayNames(name);
        static TestCaseData Raw(string name, byte[] file, string reason) => new TestCaseData(file, reason).SetArgDisplayNames(name);

        yield return Raw("empty", [], "it is empty");
        yield return Raw("text", "#!/bin/sh\necho hello\n"u8.ToArray(), "not an ELF file");
        yield return Raw("only magic", [0x7F, (byte)'E', (byte)'L', (byte)'F'], "the ELF header");
        yield return Case("32-bit", new TestElf { Class = 1, Segments = [new(0, Code)] }, "ELF class is 1");
        yield return Case("big-endian", new TestElf { DataEncoding = 2, Segments = [new(0, Code)] }, "data encoding is 2");
        yield return Case("ARM", new TestElf { Machine = 183, Segments = [new(0, Code)] }, "machine 183");
        yield return Case("object file", new TestElf { Type = 1, Segments = [new(0, Code)] }, "ELF type is 1");
        yield return Case("no segment", new TestElf(), "no loadable segment");
        yield return Case("program header size", new TestElf { ProgramHeaderEntrySize = 32, Segments = [new(0, Code)] }, "32 bytes each");
        yield return Case("segment beyond file", new TestElf { Segments = [new(0, Code) { FileOffsetError = 1 << 20 }] }, "a segment's content");
        yield return Case("file larger than memory", new TestElf { Segments = [new(0, Code) { MemorySize = 1 }] }, "only 1 in memory");
        yield return Case(
            "wrapping segment", new TestElf { Segments = [new(0xFFFF_FFFF_FFFF_F000, Code) { MemorySize = 0x2000 }] }, "wraps around");
        yield return Case("descending segments", new TestElf { Segments = [new(0x2000, Code), new(0x1000, Code)] }, "ascending order");
        yield return Case(
            "overlapping segments", new TestElf { Segments = [new(0x1000, new byte[0x100]), new(0x1080, Code)] }, "overlap");
        yield return Case("entry outside", new TestElf { Segments = [new(0, Code)], Entry = 3 }, "entry point 0x3");
        yield return Case("fixed address in the page of null", new TestElf { Type = 2, Segments = [new(0, Code)] }, "fixed address 0x0");
        yield return Case(
            "fixed address beyond memory",
            new TestElf { Type = 2, Segments = [new(0x4_0000_0000, Code)], Entry = 0x4_0000_0000 },
            "fixed address 0x400000000");
        yield return Case(
            "thread-local variables", new TestElf { Segments = [new(0, Code)], OtherHeaders = [(7, 0, 8)] }, "thread-local variables (PT_TLS)");
        yield return Case(
            "unsupported relocation", new TestElf { Segments = [new(0, new byte[64])], Relocations = [(0, 5, 0)] }, "R_X86_64_COPY (5)");
        yield return Case(
            "relocation outside", new TestElf { Segments = [new(0, new byte[64])], Relocations = [(0x10_0000, 8, 0)] }, "outside the image");
    }

    private static byte[] Load(TestElf elf, out GuestBinary guest)
    {
        guest = GuestBinary.FromBytes(elf.Build());
        using var region = new ManagedMemoryRegion((nuint)GuestPage.RoundUp(guest.Image.LoadedSize));
        guest.Image.Load(region, 0x1000);
        return region.GetSpan(0, (int)region.Size).ToArray();
    }

    private static bool IsRefused(ReadOnlySpan<byte> file)
    {
        try
        {
            GuestBinary guest = GuestBinary.FromBytes(file);
            if (guest.Image.LoadedSize < 1 << 20)
            {
                using var region = new ManagedMemoryRegion((nuint)GuestPage.RoundUp(guest.Image.LoadedSize));
                guest.Image.Load(region, 0x1000);
            }

            return false;
        }
        catch (GuestBinaryException)
        {
            return true;
        }
    }
}
