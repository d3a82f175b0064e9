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

    private const ulong PredictedPage = 0x7000;

    private const int RightsSize = Tlb.Size + PredictionTable.Size;

    private byte* _memory;
    private Tlb _tlb = null!;

    [SetUp]
    public void Create()
    {
        _memory = (byte*)NativeMemory.AlignedAlloc((2 * RightsSize) + HostPage.Size, HostPage.Size);
        NativeMemory.Fill(_memory, 2 * RightsSize, 0xA5);
        _tlb = new Tlb(MemoryAt(_memory), MemoryAt(_memory + RightsSize));
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

    [Test]
    public void Predictions_are_forgotten_with_their_translations([Values] bool user)
    {
        _tlb.Select(user);
        Dictionary<string, (Action<Tlb> Forget, bool[] Expected)> ways = new()
        {
            ["all"] = (static tlb => tlb.FlushAll(), [false, false, false]),
            ["without the global ones"] = (static tlb => tlb.FlushNonGlobal(), [false, false, false]),
            ["the page"] = (static tlb => tlb.FlushPage(First + 8), [false, false, true]),
            ["the writes of the page"] = (static tlb => tlb.ProtectFromWrites(new HostPage(0x7000)), [true, false, true]),
            ["all writes"] = (static tlb => tlb.ForgetWrites(), [true, false, true]),
        };
        foreach ((string name, (Action<Tlb> forget, bool[] expected)) in ways)
        {
            Predict(0, First);
            Predict(PredictionTable.Count - 1, First);
            Predict(1, Other);

            forget(_tlb);

            Assert.That(
                (bool[])[IsPredicted(0, First), IsPredicted(PredictionTable.Count - 1, First), IsPredicted(1, Other)],
                Is.EqualTo(expected),
                name);
        }
    }

    [Test]
    public void Predictions_of_the_other_rights_are_forgotten_too()
    {
        Predict(0, First);
        _tlb.Select(user: true);

        _tlb.FlushPage(First);

        _tlb.Select(user: false);
        Assert.That(IsPredicted(0, First), Is.False);
    }

    [Test]
    public void A_prediction_is_forgotten_with_its_page_also_if_another_one_has_taken_the_entry()
    {
        Predict(0, First);
        Fill(Rival);

        _tlb.FlushPage(First);

        Assert.That(IsPredicted(0, First), Is.False);
    }

    [Test]
    public void A_prediction_of_a_page_that_lasted_when_others_were_forgotten_is_forgotten_with_it()
    {
        Fill(First, isGlobal: true);
        _tlb.FlushNonGlobal();
        _tlb.Predictions.Use(0);
        _tlb.Predictions.Entries[0] = new PredictionEntry(First, PredictedPage);

        _tlb.FlushPage(First);

        Assert.That(IsPredicted(0, First), Is.False);
    }

    /// <summary>The host's page can have the address of a page of the guest.</summary>
    [Test]
    public void A_prediction_is_not_forgotten_for_the_address_of_the_hosts_page()
    {
        Predict(0, First);
        Fill(PredictedPage);

        _tlb.FlushPage(PredictedPage);

        Assert.That(_tlb.Predictions.Entries[0], Is.EqualTo(new PredictionEntry(First, PredictedPage)));
    }

    /// <summary>A tag agrees with some addresses always: these are not canonical, and lead to the page that is used for nothing else.</summary>
    [Test]
    public void What_predicts_nothing_leads_to_the_unused_page([Values] bool user)
    {
        _tlb.Select(user);
        Predict(5, First);
        _tlb.FlushAll();

        foreach ((ulong tag, ulong page) in _tlb.Predictions.Entries)
        {
            Assert.That(tag >> 62, Is.EqualTo(1), $"the tag {tag:X} may be that of a canonical address");
            Assert.That(tag & HostPage.OffsetMask, Is.Zero);
            Assert.That(page, Is.EqualTo((ulong)UnusedPage));
        }
    }

    [Test]
    public void A_prediction_that_is_often_wrong_gets_less_and_less_credit_and_one_that_is_not_gets_it_back()
    {
        PredictionTable table = _tlb.Predictions;
        int most = table.Credits[0];
        long executed = 0;
        foreach (int expected in (int[])[most / 2, most / 4, most / 8])
        {
            table.Credits[0] = -1;
            table.Use(executed += PredictionTable.InstructionsPerCredit);
            Assert.That((table.Credits[0], table.Credits[1]), Is.EqualTo((expected, most)));
        }

        table.Credits[0] = 0;
        table.Use(executed + PredictionTable.InstructionsPerCredit - 1);
        Assert.That(table.Credits[0], Is.Zero);
        table.Use(executed + PredictionTable.InstructionsPerCredit);
        Assert.That(table.Credits[0], Is.EqualTo(most / 4));
    }

    [Test]
    public void The_least_credit_is_one()
    {
        long executed = 0;
        for (int i = 0; i < 20; i++)
        {
            _tlb.Predictions.Credits[0] = -1;
            _tlb.Predictions.Use(executed += PredictionTable.InstructionsPerCredit);
        }

        Assert.That(_tlb.Predictions.Credits[0], Is.EqualTo(1));
    }

    private byte* UnusedPage => _memory + (2 * RightsSize);

    private TranslationMemory MemoryAt(byte* memory) => new((TlbEntry*)memory, memory + Tlb.Size, UnusedPage);

    private void Predict(int prediction, ulong address)
    {
        _tlb.Predictions.Use(0);
        Fill(address, page: new HostPage((nint)PredictedPage));
        _tlb.Predictions.Entries[prediction] = new PredictionEntry(address, PredictedPage);
    }

    private bool IsPredicted(int prediction, ulong address) => _tlb.Predictions.Entries[prediction].Tag == address;

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
