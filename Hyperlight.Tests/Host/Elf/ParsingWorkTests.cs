using System.Buffers.Binary;
using Hyperlight.Host.Elf;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>The worst that a file can ask for: however its tables overlap, the work is bounded by the size of the file.</summary>
[TestFixture]
internal sealed class ParsingWorkTests
{
    private const int Many = 0xFFFE;

    [Test]
    public void Notes_that_many_sections_share()
    {
        // A note that is not ours takes 16 bytes; every section says that all of them are its content.
        byte[] notes = new byte[1 << 20];
        for (int at = 0; at < notes.Length; at += 16)
        {
            notes[at + 8] = 2;
        }

        byte[] file = TestElf.OfCode([0xF4], "0.15.0").Build();
        int notesAt = file.Length;
        int headersAt = notesAt + notes.Length;
        byte[] headers = new byte[Many * 64];
        ReadOnlySpan<byte> original = file.AsSpan((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(40)), 3 * 64);
        original[128..].CopyTo(headers);
        for (int i = 1; i < Many; i++)
        {
            Span<byte> header = headers.AsSpan(i * 64, 64);
            original[64..128].CopyTo(header);
            BinaryPrimitives.WriteInt64LittleEndian(header[24..], notesAt);
            BinaryPrimitives.WriteInt64LittleEndian(header[32..], notes.Length);
        }

        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), headersAt);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), Many);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(62), 0);

        Assert.That(Work([.. file, .. notes, .. headers]), Does.Contain("overlap"));
    }

    [Test]
    public void Segments_that_share_their_content()
    {
        byte[] content = new byte[1 << 16];
        Assert.That(Work(SharingSegments(content, 1000)), Does.Contain("overlap in the file"));
    }

    [Test]
    public void Relocations_that_two_tables_share()
    {
        byte[] data = new byte[24 * 40_000];
        for (int at = 0; at < data.Length; at += 24)
        {
            data[at + 8] = 8;
        }

        // Once as DT_RELA, once as DT_JMPREL; applied twice is applied.
        var tables = new TestElfTables { Other = [(7, 0), (8, (ulong)data.Length), (23, 0), (2, (ulong)data.Length), (20, 7)] };
        Assert.That(Work(new TestElf { Segments = [new(0, data)], Tables = tables }.Build()), Is.Null);
    }

    [Test]
    public void Relocations_without_type_over_everything()
    {
        byte[] data = new byte[1 << 18];
        var relr = new List<ulong> { 0 };
        relr.AddRange(Enumerable.Repeat(ulong.MaxValue, (data.Length / 8 / 63) - 1));
        Assert.That(Work(new TestElf { Segments = [new(0, data)], Tables = new TestElfTables { Relr = relr } }.Build()), Is.Null);
    }

    [Test]
    public void A_symbol_for_every_relocation_among_many_segments()
    {
        const int segments = 2000;
        var elf = new TestElf
        {
            Segments = [.. Enumerable.Range(0, segments).Select(i => new TestElf.Segment((ulong)i * 64, new byte[64]))],
            Tables = new TestElfTables
            {
                Rela = [.. Enumerable.Range(0, 20_000).Select(i => ((ulong)(i % segments) * 64, TestElfTables.Info(1, 1), 0UL))],
                Symbols = [("s", 0x10, 1, 0)],
            },
        };
        Assert.That(Work(elf.Build()), Is.Null);
    }

    [Test]
    public void A_dynamic_section_without_end()
    {
        byte[] file = new TestElf { Segments = [new(0, new byte[1 << 20])], Tables = new TestElfTables { Needed = ["x"] } }.Build();

        // It starts at the data, which is turned into a million times DT_NEEDED; its size is all of the file.
        ulong header = 64 + (2 * 56);
        int start = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(64 + 8));
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan((int)header + 8), start);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan((int)header + 32), 1 << 20);
        for (int at = start; at < start + (1 << 20); at += 16)
        {
            file[at] = 1;
        }

        Assert.That(Work(file), Does.Contain("shared library"));
    }

    [Test]
    public void A_cancelled_token_ends_the_work_at_once()
    {
        var parsing = new ElfParsing(new CancellationToken(canceled: true));

        Assert.That(
            () => ElfImage.Parse(SharingSegments([1], 60_000), "x", parsing), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(parsing.Steps, Is.LessThanOrEqualTo(1));
    }

    [Test]
    public void The_token_is_looked_at_every_few_thousand_steps()
    {
        using var cancellation = new CancellationTokenSource();
        var parsing = new ElfParsing(cancellation.Token);
        parsing.Step();
        cancellation.Cancel();

        int further = 0;
        Assert.That(
            () =>
            {
                for (; further < 100_000; further++)
                {
                    parsing.Step();
                }
            },
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(further, Is.LessThan(5000));
    }

    private static byte[] SharingSegments(byte[] content, int count)
    {
        byte[] file = new TestElf
        {
            Segments = [new(0, content), .. Enumerable.Range(1, count).Select(i => new TestElf.Segment((ulong)(i * content.Length), []))],
        }.Build();
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(64 + 8));
        for (int i = 1; i <= count; i++)
        {
            Span<byte> header = file.AsSpan(64 + (56 * i), 56);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], offset);
            BinaryPrimitives.WriteInt64LittleEndian(header[32..], content.Length);
            BinaryPrimitives.WriteInt64LittleEndian(header[40..], content.Length);
        }

        return file;
    }

    /// <summary>Parses a file.</summary>
    /// <returns>Why it was refused, or <see langword="null"/> if it was not.</returns>
    private static string? Work(byte[] file)
    {
        var parsing = new ElfParsing();
        string? reason = null;
        try
        {
            ElfImage.Parse(file, "worst", parsing);
        }
        catch (GuestBinaryException exception)
        {
            reason = exception.Message;
        }

        TestContext.Out.WriteLine($"{parsing.Steps} steps for {file.Length} bytes; {reason}");
        Assert.That(parsing.Steps, Is.LessThanOrEqualTo(file.Length + 1));
        return reason;
    }
}
