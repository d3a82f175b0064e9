using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Tests.Emulator;

/// <summary>What compiled code relies on: a page counts as in its place only while its address leads there.</summary>
[TestFixture]
internal sealed class CodePlacesTests
{
    private const ulong Code = 0x40_1000;
    private const ulong Data = 0x80_2000;
    private const int Most = 2048;

    private readonly CodePlaces _places = new();

    [Test]
    public void A_page_whose_translation_is_forgotten_is_lost_and_can_be_found_again([Values(0, 5, 0xFFF)] int offset)
    {
        CodePlace[] noted = _places.Note([(Code, Page(1)), (Data, Page(2))]);

        _places.Forget(Code + (ulong)offset);

        Assert.That(noted.Select(static place => place.IsInPlace), Is.EqualTo(new[] { false, true }));
        Assert.That(_places.HasLost, Is.True);
        _places.SettleLost();
        Assert.That(_places.Note([(Code, Page(1))])[0], Is.SameAs(noted[0]));
        Assert.That((noted[0].IsInPlace, _places.HasLost), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_page_of_data_is_no_loss()
    {
        CodePlace[] noted = _places.Note([(Code, Page(1))]);

        _places.Forget(Data);

        Assert.That((noted[0].IsInPlace, _places.HasLost), Is.EqualTo((true, false)));
    }

    [Test]
    public void Other_memory_at_an_address_replaces_the_place()
    {
        CodePlace before = _places.Note([(Code, Page(1))])[0];

        CodePlace now = _places.Note([(Code, Page(2))])[0];

        Assert.That((before.IsInPlace, now.IsInPlace, _places.HasLost), Is.EqualTo((false, true, true)));
    }

    [Test]
    public void Places_are_looked_up_once_after_translations_were_forgotten()
    {
        CodePlace[] noted = _places.Note([(Code, Page(1)), (Data, Page(2))]);
        Assert.That(_places.IsDoubtful(flushes: 7), Is.True);

        _places.Verify(flushes: 7, static place => place.Address != Code);

        Assert.That(_places.IsDoubtful(flushes: 7), Is.False);
        Assert.That(noted.Select(static place => place.IsInPlace), Is.EqualTo(new[] { false, true }));
        Assert.That(_places.HasLost, Is.True);

        // One that was lost is found again where its code is entered, and not before.
        _places.Verify(flushes: 8, static _ => true);
        Assert.That(noted[0].IsInPlace, Is.False);
    }

    /// <summary>A guest can make code in any number of pages.</summary>
    [Test]
    public void Many_pages_are_forgotten_and_the_last_ones_are_known()
    {
        CodePlace first = _places.Note([(Code, Page(1))])[0];
        CodePlace[] last = [];
        for (int i = 0; i < Most; i++)
        {
            last = _places.Note([(Data + (ulong)(2 * i * HostPage.Size), Page(i)), (Data + (ulong)(((2 * i) + 1) * HostPage.Size), Page(i))]);
            Assert.That(last.All(static place => place.IsInPlace), $"{i}");
        }

        Assert.That((first.IsInPlace, _places.HasLost), Is.EqualTo((false, true)));
        _places.Forget(Data + (((2 * Most) - 1) * (ulong)HostPage.Size));
        Assert.That(last[1].IsInPlace, Is.False);
    }

    private static HostPage Page(int number) => new(number * HostPage.Size);
}
