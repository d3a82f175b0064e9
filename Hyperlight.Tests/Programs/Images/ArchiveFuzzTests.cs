using System.Formats.Tar;
using Hyperlight.Programs;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Whatever an archive contains, there is an image that is right, or a typed error.</summary>
[TestFixture]
internal sealed class ArchiveFuzzTests : ImageTest
{
    private static readonly int Rounds = TestSettings.IsLong ? 20_000 : 300;

    private static readonly byte[] Interesting = [0, 1, 0x7F, 0x80, 0xFF, (byte)'0', (byte)'7', (byte)'/', (byte)'.', (byte)' ', (byte)'x', (byte)'L'];

    [Test]
    public void Changed_archives_are_an_image_or_an_error([Range(1, 4)] int seed, [Values] bool isCompressed,
        [Values(TarEntryFormat.V7, TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu)] TarEntryFormat format)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] archive = Archive(format);
        byte[] valid = isCompressed ? TarFile.Compress(archive) : archive;
        string path = Path.Combine(Files, "archive");
        int images = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] changed = Change(valid, random);
            if (!isCompressed)
            {
                FixChecksums(changed, random);
            }

            File.WriteAllBytes(path, changed);
            images += IsImage(path) ? 1 : 0;
        }

        TestContext.Out.WriteLine($"{images} of {Rounds} are images");
        Assert.That(images, Is.InRange(1, Rounds - 1), "both occur");
    }

    private static byte[] Archive(TarEntryFormat format)
    {
        var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, format, leaveOpen: true))
        {
            Write(writer, format, TarEntryType.Directory, "d/", "");
            Write(writer, format, format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile, "d/file", "content");
            Write(writer, format, TarEntryType.SymbolicLink, "link", "d/file");
            Write(writer, format, TarEntryType.HardLink, "hard", "d/file");
            if (format is TarEntryFormat.Pax or TarEntryFormat.Gnu)
            {
                Write(writer, format, TarEntryType.RegularFile, new string('n', 200), "long");
            }
        }

        return bytes.ToArray();
    }

    private static void Write(TarWriter writer, TarEntryFormat format, TarEntryType type, string name, string text)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(type, name),
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => TarFile.Entry(type, name),
        };

        // The same seed has the same archive.
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
        {
            entry.LinkName = text;
        }
        else if (type != TarEntryType.Directory)
        {
            entry.DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        }

        writer.WriteEntry(entry);
    }

    private static byte[] Change(byte[] valid, Random random)
    {
        var changed = (byte[])valid.Clone();
        int changes = random.Next(1, 5);
        for (int i = 0; i < changes; i++)
        {
            // Where something is, which is in the first bytes of blocks.
            int place = random.Next(changed.Length);
            changed[place] = random.Next(2) == 0 ? Interesting[random.Next(Interesting.Length)] : (byte)random.Next(256);
        }

        return random.Next(8) == 0 ? changed[..random.Next(changed.Length)] : changed;
    }

    // Otherwise the checksum is what almost every change is refused for.
    private static void FixChecksums(byte[] archive, Random random)
    {
        const int block = 512;
        if (random.Next(10) == 0)
        {
            return;
        }

        for (int start = 0; start + block <= archive.Length; start += block)
        {
            Span<byte> header = archive.AsSpan(start, block);
            if (header.ContainsAnyExcept((byte)0))
            {
                header.Slice(148, 8).Fill((byte)' ');
                int sum = 0;
                foreach (byte value in header)
                {
                    sum += value;
                }

                System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
            }
        }
    }

    private bool IsImage(string path)
    {
        try
        {
            ProgramImageFile file = Build(ProgramImage.FromTar(path, Options with { MaximumSize = 1 << 20, MaximumEntries = 100 }));
            _ = new ReadImage(file.Path);
            return true;
        }
        catch (ProgramImageException)
        {
            return false;
        }
    }
}
