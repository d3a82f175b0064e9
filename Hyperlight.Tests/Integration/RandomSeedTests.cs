namespace Hyperlight.Tests.Integration;

/// <summary>
/// Random numbers of guests: others in each sandbox and after each restore, unless the application sets a seed. Two sandboxes
/// that draw different numbers by chance alone do so with a probability of more than 1 - 1 / 4,000,000,000.
/// </summary>
internal sealed class RandomSeedTests(TestTarget target) : GuestTest(target)
{
    private static readonly SandboxConfiguration Seeded = new() { RandomSeed = 42 };

    [Test]
    public void After_each_restore_the_guest_draws_other_numbers()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        int[][] drawn = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            int[] numbers = Draw(Sandbox);
            Sandbox.Restore(snapshot);
            return numbers;
        })];

        Assert.That(drawn.Select(d => string.Join(" ", d)), Is.Unique);
    }

    [Test]
    public void Sandboxes_of_one_snapshot_draw_different_numbers()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MultiUseSandbox[] sandboxes = [Sandbox, Build(b => b.WithSnapshot(snapshot)), Build(b => b.WithSnapshot(snapshot))];

        Assert.That(sandboxes.Select(s => string.Join(" ", Draw(s))), Is.Unique);
        Assert.That(sandboxes.Select(s => s.Call<ulong>("GetSeed")), Is.Unique);
    }

    [Test]
    public void After_each_restore_the_guest_is_given_other_random_bits()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        ulong[] seeds = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            ulong seed = Sandbox.Call<ulong>("GetSeed");
            Sandbox.Restore(snapshot);
            return seed;
        })];

        Assert.That(seeds, Is.Unique);
    }

    [Test]
    public void The_new_seed_is_taken_once()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);

        ulong seed = Sandbox.Call<ulong>("GetSeed");
        int[] numbers = Draw(Sandbox);

        Assert.That(numbers, Is.Unique, "the sequence goes on from call to call");
        Assert.That(Sandbox.Call<ulong>("GetSeed"), Is.EqualTo(seed));
    }

    [Test]
    public void A_seed_that_the_guest_sets_itself_counts_after_a_restore()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("Srand", 7U);
        int[] expected = Draw(Sandbox);

        Sandbox.Restore(snapshot);
        Sandbox.Call("Srand", 7U);

        Assert.That(Draw(Sandbox), Is.EqualTo(expected));
    }

    [Test]
    public void With_a_seed_of_the_application_every_run_is_the_same()
    {
        MultiUseSandbox first = Build(b => b.WithConfiguration(Seeded));
        MultiUseSandbox second = Build(b => b.WithConfiguration(Seeded));
        MultiUseSandbox other = Build(b => b.WithConfiguration(Seeded with { RandomSeed = 43UL << 36 }));

        Assert.That(first.Call<ulong>("GetSeed"), Is.EqualTo(42));
        Assert.That(second.Call<ulong>("GetSeed"), Is.EqualTo(42));
        int[] numbers = Draw(first);
        Assert.That(Draw(second), Is.EqualTo(numbers));
        Assert.That(Draw(other), Is.Not.EqualTo(numbers));
    }

    [Test]
    public void With_a_seed_of_the_application_every_restore_is_the_same()
    {
        MultiUseSandbox sandbox = Build(b => b.WithConfiguration(Seeded));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        MultiUseSandbox fromSnapshot = Build(b => b.WithSnapshot(snapshot).WithConfiguration(Seeded));
        MultiUseSandbox other = Build(b => b.WithSnapshot(snapshot).WithConfiguration(Seeded with { RandomSeed = 43 }));
        MultiUseSandbox unseeded = Build(b => b.WithSnapshot(snapshot));

        sandbox.Restore(snapshot);
        int[] numbers = Draw(sandbox);
        ulong seed = sandbox.Call<ulong>("GetSeed");
        sandbox.Restore(snapshot);

        Assert.That(Draw(sandbox), Is.EqualTo(numbers));
        Assert.That(Draw(fromSnapshot), Is.EqualTo(numbers));
        Assert.That(fromSnapshot.Call<ulong>("GetSeed"), Is.EqualTo(seed));
        Assert.That(Draw(other), Is.Not.EqualTo(numbers));
        Assert.That(Draw(unseeded), Is.Not.EqualTo(numbers));
    }

    private static int[] Draw(MultiUseSandbox sandbox) => [.. Enumerable.Range(0, 3).Select(_ => sandbox.Call<int>("Rand"))];
}
