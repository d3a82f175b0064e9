using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Memory;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Pages of files that the emulator's machines use: each content once, for as long as a machine uses it.</summary>
internal sealed class FilePageStoreTests
{
    private const ulong FileAddress = 0x40_0000;

    private const string File = "file";

    [Test]
    public void Equal_pages_of_different_files_are_not_shared()
    {
        var store = new FilePageStore();

        FilePage first = store.Get("a", Content(1));
        FilePage second = store.Get("b", Content(1));

        Assert.That(second.Address, Is.Not.EqualTo(first.Address));
    }

    [Test]
    public void Pages_of_the_same_content_are_one()
    {
        var store = new FilePageStore();
        FilePage first = store.Get(File, Content(1));
        FilePage second = store.Get(File, Content(1));
        FilePage other = store.Get(File, Content(2));

        Assert.That(second, Is.SameAs(first));
        Assert.That(other.Address, Is.Not.EqualTo(first.Address));
        Assert.That(first.Page.From(0).ToArray(), Is.EqualTo(Content(1)));
        Assert.That(other.Page.From(0).ToArray(), Is.EqualTo(Content(2)));
    }

    [Test]
    public void A_page_stays_until_its_last_use_ends()
    {
        var store = new FilePageStore();
        FilePage page = store.Get(File, Content(1));
        store.Get(File, Content(1));

        store.Release(page);
        Assert.That(store.Count, Is.EqualTo(1));
        Assert.That(page.Page.From(0).ToArray(), Is.EqualTo(Content(1)));

        store.Release(page);
        Assert.That(store.Count, Is.Zero);
        Assert.That(store.Slabs, Is.Zero, "and so does its memory");
    }

    /// <summary>Takes and returns pages in a random order, and compares them with what they should be.</summary>
    [Test]
    public void Pages_keep_their_content_when_others_are_added_and_removed()
    {
        var store = new FilePageStore();
        var random = new Random(3);
        var used = new List<(FilePage Page, int Content)>();
        for (int i = 0; i < 5000; i++)
        {
            if (used.Count > 0 && random.Next(300) < used.Count)
            {
                int place = random.Next(used.Count);
                Assert.That(used[place].Page.Page.From(0).SequenceEqual(Content(used[place].Content)), Is.True);
                store.Release(used[place].Page);
                used.RemoveAt(place);
            }
            else
            {
                int content = random.Next(200);
                used.Add((store.Get(File, Content(content)), content));
            }
        }

        Assert.That(store.Count, Is.EqualTo(used.DistinctBy(u => u.Content).Count()));
        used.ForEach(u => store.Release(u.Page));
        Assert.That((store.Count, store.Slabs), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Machines_share_the_pages_of_a_file_and_give_them_back()
    {
        using var files = new TestFiles();
        string path = files.New("file", 10 * GuestPage.Size);
        var emulator = new EmulatorHypervisor();
        var guests = new List<LongModeGuest>();
        for (int i = 0; i < 3; i++)
        {
            guests.Add(NewReader(emulator, path, pages: 10));
            Assert.That(emulator.FilePages.Count, Is.EqualTo(10), "pages in memory");
        }

        guests[0].Machine.UnmapMemory(2);
        Assert.That(emulator.FilePages.Count, Is.EqualTo(10), "others use them");
        guests.ForEach(g => g.Dispose());
        Assert.That((emulator.FilePages.Count, emulator.FilePages.Slabs), Is.EqualTo((0, 0)));
    }

    [Test]
    public void A_new_machine_reads_the_current_contents_of_a_file()
    {
        using var files = new TestFiles();
        string path = files.New("file", new byte[GuestPage.Size]);
        var emulator = new EmulatorHypervisor();
        using LongModeGuest first = NewReader(emulator, path, pages: 1);
        using (FileStream stream = TestFiles.OpenForChange(path))
        {
            stream.WriteByte(7);
        }

        using LongModeGuest second = NewReader(emulator, path, pages: 1);
        Assert.That((first.Machine.GetGeneralRegisters().Rax, second.Machine.GetGeneralRegisters().Rax), Is.EqualTo((0UL, 7UL)));
    }

    [Test]
    [Platform("Linux", Reason = "Reads the process's memory from /proc.")]
    public void A_file_costs_the_memory_of_what_guests_use_of_it_once()
    {
        // The runtime may give memory of earlier tests back while one is measured.
        const int Attempts = 5;
        const int Pages = 8192;
        const long Kilobytes = Pages * (GuestPage.Size / 1024);
        List<long> growths = [];
        for (int i = 0; i < Attempts; i++)
        {
            growths.Add(GrowthByTwoReaders(Pages));
        }

        TestContext.Out.WriteLine($"a file of {Kilobytes} KiB, read by two guests, costs {string.Join(", ", growths)} KiB");
        Assert.That(growths, Has.Some.InRange(Kilobytes / 2, Kilobytes * 5 / 4));
    }

    /// <summary>How many KiB of private memory the process has more when two guests have read a file.</summary>
    private static long GrowthByTwoReaders(int pages)
    {
        using var files = new TestFiles();
        byte[] content = new byte[pages * GuestPage.Size];
        new Random(5).NextBytes(content);
        string path = files.New("file", content);
        var emulator = new EmulatorHypervisor();
        long before = ProcessResources.CountAfterCollection().PrivateKilobytes;

        using LongModeGuest first = NewReader(emulator, path, pages);
        using LongModeGuest second = NewReader(emulator, path, pages);
        long growth = ProcessResources.CountAfterCollection().PrivateKilobytes - before;
        GC.KeepAlive(content);
        return growth;
    }

    private static byte[] Content(int number)
    {
        byte[] content = new byte[GuestPage.Size];
        BitConverter.TryWriteBytes(content, number);
        return content;
    }

    /// <summary>A guest that has read a word of each page, the last of them into RAX.</summary>
    private static LongModeGuest NewReader(EmulatorHypervisor emulator, string path, int pages)
    {
        LongModeGuest guest = new(emulator, c =>
        {
            Iced.Intel.Label again = c.CreateLabel();
            c.mov(rbx, FileAddress);
            c.mov(ecx, pages);
            c.Label(ref again);
            c.mov(rax, __[rbx]);
            c.add(rbx, GuestPage.Size);
            c.dec(ecx);
            c.jnz(again);
            c.hlt();
        });
        using IPreparedMapping prepared = emulator.PrepareFileMapping(path, FileAddress);
        guest.Machine.MapMemory(2, prepared.ToGuestMapping());
        prepared.Consume().Dispose();
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return guest;
    }
}
