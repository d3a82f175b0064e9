using System.Runtime.InteropServices;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Tests.Emulator;

/// <summary>The epoch of translations lasts for as long as those of code hold, and no longer.</summary>
[TestFixture]
internal sealed unsafe class TlbTests
{
    private const ulong Code = 0x40_1000;
    private const ulong Data = 0x80_2000;

    private TlbEntry* _entries;
    private Tlb _tlb = null!;

    [SetUp]
    public void Create()
    {
        _entries = (TlbEntry*)NativeMemory.AllocZeroed(2 * Tlb.Size);
        _tlb = new Tlb(_entries, _entries + Tlb.Count);
        _tlb.NoteCode([(Code, default)]);
    }

    [TearDown]
    public void Free() => NativeMemory.Free(_entries);

    [Test]
    public void A_page_of_data_that_is_forgotten_does_not_end_it()
    {
        long epoch = _tlb.Epoch;
        _tlb.Slot(Data).ReadTag = Data;

        _tlb.FlushPage(Data + 5);

        Assert.That(_tlb.Slot(Data).ReadTag, Is.Not.EqualTo(Data), "it is forgotten all the same");
        Assert.That(_tlb.Epoch, Is.EqualTo(epoch));
    }

    [Test]
    public void A_page_of_code_that_is_forgotten_ends_it([Values(0, 5, 0xFFF)] int offset)
    {
        long epoch = _tlb.Epoch;

        _tlb.FlushPage(Code + (ulong)offset);

        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
    }

    [Test]
    public void With_large_pages_each_page_that_is_forgotten_ends_it()
    {
        _tlb.NoteLargePage();
        long epoch = _tlb.Epoch;

        _tlb.FlushPage(Data);

        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
    }

    [Test]
    public void All_that_is_forgotten_ends_it([Values] bool withGlobal)
    {
        long epoch = _tlb.Epoch;

        if (withGlobal)
        {
            _tlb.FlushAll();
        }
        else
        {
            _tlb.FlushNonGlobal();
        }

        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
    }

    [Test]
    public void Each_privilege_level_has_its_own_and_finds_it_again()
    {
        long epoch = _tlb.Epoch;
        _tlb.Select(user: true);
        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
        _tlb.Select(user: false);
        Assert.That(_tlb.Epoch, Is.EqualTo(epoch));

        // A page of code of one level may be one of the other, too.
        _tlb.Select(user: true);
        _tlb.FlushPage(Code);
        _tlb.Select(user: false);
        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
    }

    /// <summary>A guest can make code in any number of pages.</summary>
    [Test]
    public void Many_pages_of_code_end_it_and_the_last_ones_are_known()
    {
        long epoch = _tlb.Epoch;
        const int Most = 4096;
        for (ulong i = 0; i < Most; i++)
        {
            _tlb.NoteCode([(Data + (2 * i * HostPage.Size), default), (Data + (((2 * i) + 1) * HostPage.Size), default)]);
            long before = _tlb.Epoch;
            _tlb.FlushPage(Data + (2 * i * HostPage.Size));
            Assert.That(_tlb.Epoch, Is.Not.EqualTo(before));
            _tlb.NoteCode([(Code + (i * HostPage.Size), default)]);
        }

        Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch));
    }

    [Test]
    public void Pages_that_are_noted_together_are_all_known()
    {
        const int Most = 4096;
        const int Together = 3;
        for (int i = 0; i < Most - Together; i++)
        {
            _tlb.NoteCode([(Data + (ulong)(i * HostPage.Size), default)]);
        }

        for (int i = 0; i < 2 * Together; i++)
        {
            (ulong, HostPage)[] pages = [.. Enumerable.Range(0, Together).Select(page => (Code + (ulong)(((Together * i) + page) * HostPage.Size), default(HostPage)))];
            _tlb.NoteCode(pages);
            long epoch = _tlb.Epoch;
            _tlb.FlushPage(pages[i % Together].Item1);
            Assert.That(_tlb.Epoch, Is.Not.EqualTo(epoch), $"{i}");
            _tlb.NoteCode(pages);
        }
    }
}
