using System.Runtime.InteropServices;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Tests.Emulator;

/// <summary>What is forgotten of translations, and what is not.</summary>
[TestFixture]
internal sealed unsafe class TlbTests
{
    private const ulong First = 0x40_0000;
    private const ulong Other = First + 0x1000;

    /// <summary>An address with the same slot as the first.</summary>
    private const ulong Rival = First + ((ulong)Tlb.Count << HostPage.Shift);

    private TlbEntry* _memory;
    private Tlb _tlb = null!;

    [SetUp]
    public void Create()
    {
        _memory = (TlbEntry*)NativeMemory.AlignedAlloc(2 * Tlb.Size, HostPage.Size);
        NativeMemory.Fill(_memory, 2 * Tlb.Size, 0xA5);
        _tlb = new Tlb(default, default);
    }

    [TearDown]
    public void Free() => NativeMemory.AlignedFree(_memory);

    [Test]
    public void Nothing_is_translated_at_first([Values] bool user)
    {
        _tlb.Select(user);

        for (ulong page = 0; page < Tlb.Count; page++)
        {
            Assert.That(IsKnown(page << HostPage.Shift), Is.False);
        }
    }

    [Test]
    public void Everything_is_forgotten_for_both_kinds_of_accesses()
    {
        Fill(First, isGlobal: true);
        _tlb.Select(user: true);
        Fill(Other);

        _tlb.FlushAll();

        Assert.That(IsKnown(Other), Is.False);
        _tlb.Select(user: false);
        Assert.That(IsKnown(First), Is.False);
    }

    [Test]
    public void Global_translations_last_when_the_others_are_forgotten([Values] bool user)
    {
        _tlb.Select(user);
        Fill(First, isGlobal: true);
        Fill(Other);

        _tlb.FlushNonGlobal();

        Assert.That((IsKnown(First), IsKnown(Other)), Is.EqualTo((true, false)));
        _tlb.FlushAll();
        Assert.That(IsKnown(First), Is.False);
    }

    [Test]
    public void A_slot_that_had_a_global_translation_is_not_global_for_the_next_one()
    {
        Fill(First, isGlobal: true);
        Fill(Rival);
        _tlb.FlushNonGlobal();
        Assert.That(IsKnown(Rival), Is.False);

        Fill(First, isGlobal: true);
        _tlb.FlushPage(First);
        Fill(First);
        _tlb.FlushNonGlobal();
        Assert.That(IsKnown(First), Is.False);
    }

    [Test]
    public void One_page_is_forgotten_alone_unless_there_are_large_ones()
    {
        Fill(First);
        Fill(Other);
        long flushes = _tlb.Flushes;

        _tlb.FlushPage(First);
        Assert.That((IsKnown(First), IsKnown(Other), _tlb.Flushes), Is.EqualTo((false, true, flushes)));

        _tlb.NoteLargePage();
        _tlb.FlushPage(First);
        Assert.That((IsKnown(Other), _tlb.Flushes), Is.EqualTo((false, flushes + 1)));
    }

    [Test]
    public void Writes_are_forbidden_to_a_page_wherever_it_is_mapped()
    {
        var page = new HostPage(0x7000);
        Fill(First, page: page);
        Fill(Other, page: new HostPage(0x8000));
        _tlb.Select(user: true);
        Fill(Other, page: page);

        _tlb.ProtectFromWrites(page);

        Assert.That((IsWritable(Other), IsKnown(Other)), Is.EqualTo((false, true)));
        _tlb.Select(user: false);
        Assert.That((IsWritable(First), IsWritable(Other)), Is.EqualTo((false, true)));

        _tlb.ForgetWrites();
        Assert.That((IsWritable(Other), IsKnown(Other)), Is.EqualTo((false, true)));
    }

    private void Fill(ulong address, bool isGlobal = false, HostPage page = default)
    {
        ref TlbEntry entry = ref _tlb.SlotToFill(address, isGlobal);
        entry = new TlbEntry { ReadTag = address, WriteTag = address, FetchTag = address, Page = page };
    }

    /// <summary>Whether an address is translated. An entry is so for all accesses or for none, except that writes can be forbidden.</summary>
    private bool IsKnown(ulong address)
    {
        ref TlbEntry entry = ref _tlb.Slot(address);
        Assert.That(entry.FetchTag == address, Is.EqualTo(entry.ReadTag == address));
        return entry.ReadTag == address;
    }

    private bool IsWritable(ulong address) => _tlb.Slot(address).WriteTag == address;
}
