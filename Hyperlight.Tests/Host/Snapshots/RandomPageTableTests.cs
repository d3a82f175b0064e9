using System.Buffers.Binary;
using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Host.Elf;
using Hyperlight.Tests.Host.Sandboxes;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>
/// Snapshots of guests with random page tables, which lead to their own memory, to mapped files of which one was shortened,
/// and nowhere: soon a typed error, or an image in which every page that a guest could read is what it was.
/// </summary>
internal sealed class RandomPageTableTests
{
    private const int NormalGuests = 400;
    private const int LongGuests = 50_000;

    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong LargePage = 1 << 7;
    private const ulong NoExecute = 1UL << 63;
    private const ulong CopyOnWrite = 0x200;
    private const ulong SoftwareBits = 0xE00;

    private const ulong FileAddress = 0x1000_0000;
    private const ulong ShortenedAddress = 0x2000_0000;
    private const int FilePages = 8;

    /// <summary>Pages behind the root table that are a guest's to use for tables and data.</summary>
    private const int FreePages = 40;

    private readonly Mock<IHypervisor> _hypervisor = new();
    private readonly List<ManagedMemoryRegion> _allocated = [];
    private GuestMemory _memory = null!;
    private MappedRegion[] _mappings = null!;

    [SetUp]
    public void CreateMemory()
    {
        _hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Returns((nuint size) =>
        {
            _allocated.Add(new ManagedMemoryRegion(size));
            return _allocated[^1];
        });
        _memory = GuestMemory.Create(
            _hypervisor.Object, GuestBinary.FromBytes(TestElf.OfCode([0xF4]).Build()), InitData.None, new SandboxConfiguration());
        _mappings = [Map(2, FileAddress, "whole"), Map(3, ShortenedAddress, "shortened", new FileMappingException("/shortened", "mock", "read", 0, "it ends"))];
    }

    [TearDown]
    public void NothingIsLeft()
    {
        _memory.Dispose();
        Assert.That(_allocated.TrueForAll(r => r.Handle.IsClosed), Is.True);
        _allocated.Clear();
        foreach (MappedRegion mapping in _mappings)
        {
            mapping.Mapping.Region.Dispose();
        }
    }

    [Test]
    public void They_give_an_image_of_what_the_guest_had_mapped_or_a_typed_error()
    {
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        int guests = isReplay ? 1 : TestSettings.IsLong ? LongGuests : NormalGuests;
        var endings = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < guests; i++)
        {
            string replay = $"replay with {TestSettings.SeedVariable}={seed + (ulong)i}";
            Scramble(new Random((int)((seed + (ulong)i) % int.MaxValue)));
            string ending = Capture(replay);
            endings[ending] = endings.GetValueOrDefault(ending) + 1;
            Assert.That(_allocated.Count(r => !r.Handle.IsClosed), Is.EqualTo(2), $"image and scratch memory; {replay}");
        }

        TestContext.Out.WriteLine(string.Join(", ", endings.Select(e => $"{e.Key} {e.Value}")));
        Assert.That(endings, isReplay ? Is.Not.Empty : Has.Count.EqualTo(4), "every ending is tried");
    }

    private ulong Root => _memory.Layout.PageTableAddress;

    private string Capture(string replay)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            GuestImage image = SnapshotCapture.Capture(_hypervisor.Object, _memory, _mappings, Root, 1, static () => { }, out int unresolved);
            AssertEqual(image, unresolved, replay);
            image.Release();
            return "image";
        }
        catch (SnapshotException exception)
        {
            return exception.Label ?? "tables";
        }
        catch (MemoryRequestException)
        {
            return "memory";
        }
        catch (Exception exception) when (exception is not AssertionException)
        {
            Assert.Fail($"{replay}: {exception}");
            throw;
        }
        finally
        {
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromMinutes(1)), replay);
        }
    }

    /// <summary>Compares page by page, by walks that have nothing in common with the one under test.</summary>
    private void AssertEqual(GuestImage image, int unresolved, string replay)
    {
        var before = new Dictionary<ulong, ulong>();
        Leaves(ReadGuest, Root, 39, 0, before);
        var after = new Dictionary<ulong, ulong>();
        byte[] tables = image.PageTables.ToArray();
        Leaves((address, bytes) => tables.AsSpan((int)(address - Root), GuestPage.Size).TryCopyTo(bytes), Root, 39, 0, after);

        byte[] expected = new byte[GuestPage.Size];
        byte[] actual = new byte[GuestPage.Size];
        int missing = 0;
        foreach ((ulong address, ulong leaf) in before)
        {
            if (!ReadGuest(leaf & PageTableEntry.AddressMask, expected))
            {
                missing++;
                Assert.That(after, Does.Not.ContainKey(address), replay);
                continue;
            }

            Assert.That(after.Remove(address, out ulong copy), Is.True, $"0x{address:X} is missing; {replay}");
            image.Pages.Read((nuint)((copy & PageTableEntry.AddressMask) - GuestAddresses.ImageBase), actual);
            Assert.That(actual.AsSpan().SequenceEqual(expected), Is.True, $"the page at 0x{address:X} differs; {replay}");
            bool isCopied = (leaf & SoftwareBits) == CopyOnWrite || (leaf & Writable) != 0;
            Assert.That(copy & (Present | Writable | User | SoftwareBits | NoExecute), Is.EqualTo(
                Present | (isCopied ? CopyOnWrite : 0) | (leaf & (User | NoExecute))), $"attributes at 0x{address:X}; {replay}");
        }

        Assert.That(unresolved, Is.EqualTo(missing), replay);
        Assert.That(after, Is.Empty, $"nothing else is mapped; {replay}");
    }

    private bool ReadGuest(ulong address, Span<byte> page)
    {
        foreach (GuestMapping mapping in (GuestMapping[])[_memory.ScratchMapping, _memory.ImageMapping, .. _mappings.Select(m => m.Mapping)])
        {
            if (address >= mapping.GuestAddress && address < mapping.GuestAddress + mapping.Size)
            {
                mapping.Region.Read((nuint)(address - mapping.GuestAddress), page);
                return true;
            }
        }

        return false;
    }

    private delegate bool ReadPage(ulong address, Span<byte> page);

    /// <summary>All leaves outside the two ranges that snapshots leave out, for users where all entries on the way are.</summary>
    private void Leaves(ReadPage read, ulong table, int shift, ulong address, Dictionary<ulong, ulong> leaves, ulong user = User)
    {
        byte[] page = new byte[GuestPage.Size];
        if (!read(table, page))
        {
            return;
        }

        for (int i = 0; i < page.Length / sizeof(ulong); i++)
        {
            ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(i * sizeof(ulong)));
            ulong virtualAddress = address | ((ulong)i << shift);
            ulong canonical = (ulong)((long)(virtualAddress << 16) >> 16);

            // What an entry maps is left out as a whole, without a look at its tables, which may not be readable.
            ulong last = canonical + ((1UL << shift) - 1);
            bool isLeftOut = canonical >= _memory.Layout.ScratchVirtualBase || (canonical >> 40 == 0xFF_FF80 && last >> 40 == 0xFF_FF80);
            if ((entry & Present) == 0 || isLeftOut)
            {
                continue;
            }

            if (shift == 12)
            {
                leaves.Add(canonical, entry & (user | ~User));
            }
            else
            {
                Leaves(read, entry & PageTableEntry.AddressMask, shift - 9, virtualAddress, leaves, entry & user);
            }
        }
    }

    /// <summary>A few tables of random entries at each level, so that some guests are sane and others are not.</summary>
    private void Scramble(Random random)
    {
        _memory.ResetScratch(guestWritesCleared: false);
        int density = random.Next(1, random.Next(2) == 0 ? 6 : 64);
        bool isSane = random.Next(3) != 0;
        int shortenedPages = random.Next(4) == 0 ? FilePages : FilePages / 2;
        for (int page = -1; page < FreePages; page++)
        {
            // A sane guest keeps its tables by level, and data behind them.
            int level = page < 0 ? 3 : 2 - (page * 4 / FreePages);
            for (int i = 0; i < density && level >= 0; i++)
            {
                ulong target = isSane && level > 0 ? Free(((3 - level) * FreePages / 4) + random.Next(FreePages / 4)) : Target(random, shortenedPages);
                ulong attributes = (ulong)random.Next(0x1000) & (isSane || random.Next(8) != 0 ? ~LargePage : ulong.MaxValue);
                attributes |= random.Next(2) == 0 ? NoExecute : 0;
                Write(page < 0 ? Root : Free(page), random.Next(512), target | attributes | (random.Next(4) != 0 ? Present : 0));
            }
        }
    }

    private ulong Target(Random random, int shortenedPages) => random.Next(40) switch
    {
        0 => (ulong)random.NextInt64() & PageTableEntry.AddressMask,
        < 4 => ShortenedAddress + PageOffset(random, shortenedPages),
        < 10 => FileAddress + PageOffset(random, FilePages + 1),
        < 20 => GuestAddresses.ImageBase + PageOffset(random, 64),
        _ => Free(random.Next(FreePages)),
    };

    private static ulong PageOffset(Random random, int pages) => (ulong)random.Next(pages) * GuestPage.Size;

    private ulong Free(int page) => Root + ((ulong)(page + 10) * GuestPage.Size);

    private void Write(ulong table, int index, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _memory.Scratch.Write((nuint)(table - _memory.Layout.ScratchPhysicalBase) + ((nuint)index * sizeof(ulong)), bytes);
    }

    private static MappedRegion Map(uint slot, ulong address, string label, FileMappingException? failure = null)
    {
        var file = new ManagedMemoryRegion(FilePages * GuestPage.Size);
        new Random(label.Length).NextBytes(file.GetSpan(0, (int)file.Size));
        var region = new StubbornRegion(file) { ReadFailure = failure, ReadableSize = failure is null ? file.Size : file.Size / 2 };
        return new MappedRegion(slot, GuestMapping.Whole(address, region, MemoryFlags.Read), label, IsOwned: true);
    }
}
