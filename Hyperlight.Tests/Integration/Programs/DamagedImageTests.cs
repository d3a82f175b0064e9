using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>An image whose metadata was damaged after it was built has other files or none, and is no danger to the kernel.</summary>
internal sealed class DamagedImageTests(TestTarget target) : ProgramTest(target)
{
    private const int Variants = 6;
    private const int EntriesOffset = 32;
    private const int EntrySize = 16;
    private const int NamesOffset = 40;
    private const int NamesSizeOffset = 48;
    private const int HeaderSize = 64;
    private const int FirstNode = 4096;

    [Test]
    public async Task A_damaged_image_does_not_end_the_kernel([Range(1, 6)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        string cache = Path.Combine(AppContext.BaseDirectory, "programs", $"damaged-{Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)}");
        try
        {
            ProgramImage image = ProgramImage.FromFiles(
                new Dictionary<string, ProgramFile>
                {
                    ["/program"] = ProgramFile.FromPath(PathOf(Fixed)),
                    ["/one/two/text"] = ProgramFile.FromText("text"),
                    ["/one/two/other"] = ProgramFile.FromText(new string('x', 5000)),
                    ["/one/link"] = ProgramFile.LinkTo("two/text"),
                    ["/one/loop"] = ProgramFile.LinkTo("loop"),
                    ["/three/link"] = ProgramFile.LinkTo("/one/two"),
                },
                new ProgramImageOptions { CacheDirectory = cache });
            string path = (await image.BuildAsync()).Path;
            byte[] valid = await File.ReadAllBytesAsync(path);
            var random = new Random(seed);
            for (int variant = 0; variant < Variants; variant++)
            {
                await Replace(path, Damage(valid, random));
                TestContext.Out.WriteLine(await Walk(image));
            }
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Test]
    public async Task Collecting_the_files_of_an_image_with_two_names_of_a_directory_ends()
    {
        string cache = Path.Combine(AppContext.BaseDirectory, "programs", $"damaged-{Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)}");
        try
        {
            ProgramImage image = ProgramImage.FromFiles(
                new Dictionary<string, ProgramFile>
                {
                    ["/program"] = ProgramFile.FromPath(PathOf(Fixed)),
                    ["/one/first/text"] = ProgramFile.FromText("text"),
                    ["/one/second/text"] = ProgramFile.FromText("text"),
                },
                new ProgramImageOptions { CacheDirectory = cache });
            string path = (await image.BuildAsync()).Path;
            byte[] damaged = await File.ReadAllBytesAsync(path);
            EntryNode(damaged, "first").CopyTo(EntryNode(damaged, "second"));
            await Replace(path, damaged);
            ProgramRunner runner = Create(image, ["/program"], new ProgramLimits { Time = TimeSpan.FromMinutes(2) });

            await Assert.ThatAsync(
                () => runner.RunAsync(new ProgramInput { OutputDirectories = ["/one"] }),
                Throws.InstanceOf<GuestErrorException>().With.Message.Contains("its files cannot be read"));
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    /// <summary>The index of the node that a name is of.</summary>
    private static Span<byte> EntryNode(byte[] image, string name)
    {
        var entries = (int)BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(EntriesOffset));
        var names = (int)BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(NamesOffset));
        for (int offset = entries; ; offset += EntrySize)
        {
            Span<byte> entry = image.AsSpan(offset, EntrySize);
            int start = names + BinaryPrimitives.ReadInt32LittleEndian(entry);
            if (image.AsSpan(start, BinaryPrimitives.ReadUInt16LittleEndian(entry[4..])).SequenceEqual(Encoding.UTF8.GetBytes(name)))
            {
                return entry.Slice(8, sizeof(uint));
            }
        }
    }

    /// <summary>A few random values in the header, the nodes, the entries and the names.</summary>
    private static byte[] Damage(byte[] valid, Random random)
    {
        byte[] image = [.. valid];
        var size = (int)(BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(NamesOffset)) +
            BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(NamesSizeOffset)));
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        for (int count = random.Next(1, 8); count > 0; count--)
        {
            int offset = random.Next(3) == 0 ? random.Next(HeaderSize) : random.Next(FirstNode, size - sizeof(ulong));
            ulong value = random.Next(2) == 0 ? (ulong)random.Next(300) : ulong.MaxValue >> random.Next(64);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            bytes[..(1 << random.Next(4))].CopyTo(image.AsSpan(offset));
        }

        return image;
    }

    /// <summary>A new file: sandboxes may have pages of the old one.</summary>
    private static async Task Replace(string path, byte[] content)
    {
        File.Delete(path);
        await File.WriteAllBytesAsync(path, content);
    }

    private async Task<string> Walk(ProgramImage image)
    {
        try
        {
            ProgramResult result = await Run(Create(image, ["/program"]), "", "walk");
            return $"{result.End}, signal {result.Signal}: {result.StandardOutput.TrimEnd()}";
        }
        catch (ProgramImageException exception)
        {
            return exception.Message;
        }
    }
}
