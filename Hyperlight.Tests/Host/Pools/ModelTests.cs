using System.Diagnostics;
using System.Globalization;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>
/// Random operations of several threads on random pools, with creations and restores that fail at random. After each pool: no
/// lease saw anything of another, there were never more sandboxes than the maximum, and none is left.
/// </summary>
[TestFixture]
internal sealed class ModelTests
{
    /// <summary>How many operations to run; a million takes about a minute.</summary>
    public const string OperationsVariable = "HYPERLIGHT_TEST_POOL_OPERATIONS";

    /// <summary>The seed of a run that is to be repeated.</summary>
    public const string SeedVariable = "HYPERLIGHT_TEST_POOL_SEED";

    private const int Threads = 4;
    private const int OperationsPerThread = 500;

    [Test]
    public async Task A_pool_keeps_its_promises_whatever_its_callers_do()
    {
        int operations = Number(OperationsVariable) ?? 30_000;
        int seed = Number(SeedVariable) ?? Random.Shared.Next();
        TestContext.Progress.WriteLine($"{SeedVariable}={seed} {OperationsVariable}={operations}");
        var seeds = new Random(seed);
        var totals = new ModelTotals();
        long start = Stopwatch.GetTimestamp();

        // Some actions are rare: it goes on until each was done.
        int done = 0;
        for (; done < operations || (NotDone(totals).Any() && done < 20 * operations); done += Threads * OperationsPerThread)
        {
            await RunPool(seeds.Next(), totals);
        }

        TestContext.Progress.WriteLine($"{totals} in {Stopwatch.GetElapsedTime(start)}");
        Assert.That(totals.Actions[ModelAction.Rent], Is.GreaterThan(done / 20));
        Assert.That(totals.Lost, Is.Positive);
        Assert.That(NotDone(totals), Is.Empty, "what was not done");
    }

    private static IEnumerable<ModelAction> NotDone(ModelTotals totals) => Enum.GetValues<ModelAction>().Where(action => totals.Actions[action] == 0);

    private static async Task RunPool(int seed, ModelTotals totals)
    {
        var random = new Random(seed);
        var model = new ModelPool(random);
        int[] seeds = [.. Enumerable.Range(0, Threads).Select(_ => random.Next())];
        await Task.WhenAll(seeds.Select(s => Task.Factory.StartNew(
            () => new ModelCaller(model, new Random(s)).Run(OperationsPerThread), default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        await model.CloseAsync(totals);
        Assert.That(model.Counters.Violations.Distinct(), Is.Empty, $"seed of the pool: {seed}");
        Assert.That(model.Counters.Alive, Is.Zero, $"sandboxes that are left; seed of the pool: {seed}");
        Assert.That(model.Counters.MostAlive, Is.LessThanOrEqualTo(model.Options.MaximumSize), $"seed of the pool: {seed}");
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
