using System.Diagnostics;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Emulator.Fuzzing;

/// <summary>
/// Guests of random code, page tables and registers: each ends within its budget in a result that has a type, without an
/// exception in the host and without touching memory that is not its own.
/// </summary>
[TestFixture]
internal sealed class FuzzTests
{
    private const int NormalGuests = 5_000;
    private const int LongGuests = 1_000_000;

    /// <summary>Guests with common machines: a replay starts with the first of them.</summary>
    private const int GuestsPerSeed = 64;

    [Test]
    public void Random_guests_end_in_a_result_and_stay_in_their_memory()
    {
        RealLinux.Require();
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long wanted = TestSettings.Count ?? (isReplay ? GuestsPerSeed : TestSettings.IsLong ? LongGuests : NormalGuests);
        long start = Stopwatch.GetTimestamp();
        long codeEntries = 0;
        var endings = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (long first = 0; first < wanted; first += GuestsPerSeed)
        {
            ulong groupSeed = seed + (ulong)first;
            using var guest = new FuzzedGuest(groupSeed);
            for (int i = 0; i < GuestsPerSeed; i++)
            {
                try
                {
                    guest.Execute(groupSeed + (ulong)i);
                }
                catch (Exception exception)
                {
                    Assert.Fail($"replay with {TestSettings.SeedVariable}={groupSeed} (guest {i}): {exception}");
                }

                if (guest.FindDamage() is { } damage)
                {
                    Assert.Fail($"replay with {TestSettings.SeedVariable}={groupSeed} (guest {i}): it changed {damage}");
                }
            }

            codeEntries += guest.CodeEntries;
            foreach ((string ending, int count) in guest.Endings)
            {
                endings[ending] = endings.GetValueOrDefault(ending) + count;
            }
        }

        TestContext.Out.WriteLine(
            $"{wanted} guests in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s, {codeEntries} entries of emitted code: "
            + string.Join(", ", endings.Select(e => $"{e.Key} {e.Value}")));
        int kinds = endings.Count;
        Assert.That(kinds, Is.GreaterThan(isReplay ? 0 : 4), "the guests should be of many kinds");
        Assert.That(codeEntries, EmittingCompiler.WhyUnusable is null && !isReplay ? Is.Positive : Is.GreaterThanOrEqualTo(0));
    }
}
