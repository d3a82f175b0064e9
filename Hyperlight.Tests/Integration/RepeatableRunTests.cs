using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Runs that repeat: with a seed, whatever a guest can read of time and random numbers is the same in every sandbox that gets
/// the same calls, whether code is interpreted or translated.
/// </summary>
[TestFixture]
internal sealed class RepeatableRunTests
{
    private const ulong Seed = 42;

    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    private static SandboxBuilder Builder => new SandboxBuilder().WithGuest(Guest);

    [Test]
    public void Two_sandboxes_of_one_seed_do_the_same_byte_for_byte()
    {
        byte[] first = Run(Builder.UseEmulator(Seed));
        byte[] second = Run(Builder.UseEmulator(Seed));

        Assert.That(first, Has.Length.GreaterThan(800 * 6 * sizeof(ulong)));
        Assert.That(second, Is.EqualTo(first));
    }

    [Test]
    public void Results_do_not_depend_on_whether_and_when_code_is_translated()
    {
        EmulatorOptions[] ways =
        [
            new() { TranslateHotCode = false }, new() { HotThreshold = 1 }, new() { HotThreshold = 2, VerifiesEmittedCode = true },
            new() { HotThreshold = 50 }, new(), new() { HotThreshold = 2, Tier = CodeTier.Intermediate },
        ];
        byte[][] runs = [.. ways.Select(way => Run(Builder
            .WithHypervisor(new EmulatorHypervisor(way))
            .WithConfiguration(new SandboxConfiguration { RandomSeed = Seed })))];

        Assert.That(runs, Is.All.EqualTo(runs[0]));
    }

    [Test]
    public void The_seed_is_the_same_in_each_way_to_set_it()
    {
        byte[] expected = Run(Builder.UseEmulator(Seed));
        IConfiguration settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Hypervisor"] = "emulator",
            ["Configuration:RandomSeed"] = "42",
        }).Build();
        var configuration = new SandboxConfiguration { RandomSeed = Seed };

        Assert.That(Run(Builder.UseEmulator().WithConfiguration(configuration)), Is.EqualTo(expected));
        Assert.That(Run(Builder.UseEmulator(Seed).WithConfiguration(new SandboxConfiguration())), Is.EqualTo(expected));
        Assert.That(RunOfContainer(services => services.AddHyperlight(o => o.UseEmulator(Seed))), Is.EqualTo(expected));
        Assert.That(RunOfContainer(services => services.AddHyperlight(settings)), Is.EqualTo(expected));
    }

    [Test]
    public void A_seed_does_not_outlive_the_choice_of_another_driver()
    {
        byte[] expected = Run(Builder.UseEmulator(Seed));

        Assert.That(Run(Builder.UseEmulator(Seed).UseEmulator()), Is.Not.EqualTo(expected));
        Assert.That(Run(Builder.UseEmulator(Seed).WithHypervisor("emulator")), Is.Not.EqualTo(expected));
    }

    [Test]
    public void Sandboxes_of_other_seeds_and_of_none_differ_in_each_source()
    {
        byte[][] runs =
        [
            Run(Builder.UseEmulator(Seed)), Run(Builder.UseEmulator(Seed + 1)), Run(Builder.UseEmulator()), Run(Builder.UseEmulator()),
        ];

        Assert.That(runs.Select(Convert.ToHexString), Is.Unique);
    }

    [Test]
    public void With_a_seed_the_time_stamp_counter_counts_instructions()
    {
        using MultiUseSandbox sandbox = Builder.UseEmulator(Seed).Build();
        long before = sandbox.InstructionCount!.Value;

        ulong[] samples = Samples(sandbox.Call<byte[]>("ReadSources", 100u));

        ulong[] times = [.. samples.Chunk(6).SelectMany(sample => sample.Take(3))];
        Assert.That(times, Is.Ordered.Ascending.And.Unique);
        Assert.That(times[0], Is.GreaterThan((ulong)before));
        Assert.That(times[^1], Is.LessThan((ulong)sandbox.InstructionCount!.Value));
        ulong[] steps = [.. times.Chunk(3).Zip(times.Chunk(3).Skip(1), (a, b) => b[1] - a[1])];
        Assert.That(steps[1..], Has.All.LessThan(1000), "instructions of one pass");
    }

    [Test]
    public void A_snapshot_continues_the_same_in_each_sandbox()
    {
        using MultiUseSandbox original = Builder.UseEmulator(Seed).Build();
        using Snapshot snapshot = original.TakeSnapshot();

        byte[] first = FromSnapshot(snapshot);
        byte[] second = FromSnapshot(snapshot);

        Assert.That(second, Is.EqualTo(first));
    }

    /// <summary>Time and random numbers would tell the next tenant how much the last one has executed and drawn.</summary>
    [Test]
    public void After_a_restore_the_guest_reads_the_same_whatever_was_executed_before()
    {
        using MultiUseSandbox sandbox = Builder.UseEmulator(Seed).Build();
        using Snapshot first = sandbox.TakeSnapshot();
        sandbox.Call<byte[]>("ReadSources", 300u);
        using Snapshot second = sandbox.TakeSnapshot();
        byte[] afterFirst = FromSnapshot(first);
        byte[] afterSecond = FromSnapshot(second);

        foreach (uint executed in new uint[] { 0, 1, 7, 100, 300 })
        {
            sandbox.Call<byte[]>("ReadSources", executed);
            sandbox.Restore(first);
            Assert.That(sandbox.Call<byte[]>("ReadSources", 20u), Is.EqualTo(afterFirst), $"{executed} samples before");
            sandbox.Restore(second);
            Assert.That(sandbox.Call<byte[]>("ReadSources", 20u), Is.EqualTo(afterSecond), $"{executed} samples before, second snapshot");
        }
    }

    [Test]
    public void After_a_restore_time_goes_on_from_that_of_the_snapshot()
    {
        using MultiUseSandbox sandbox = Builder.UseEmulator(Seed).Build();
        ulong before = Samples(sandbox.Call<byte[]>("ReadSources", 300u))[^4];
        using Snapshot snapshot = sandbox.TakeSnapshot();
        ulong later = Samples(sandbox.Call<byte[]>("ReadSources", 20u))[0];

        sandbox.Restore(snapshot);

        ulong restored = Samples(sandbox.Call<byte[]>("ReadSources", 20u))[0];
        Assert.That(restored, Is.GreaterThan(before));
        Assert.That(Math.Abs((long)(restored - later)), Is.LessThan(1000), "only the guest's flush of translations differs");
    }

    [Test]
    public void Random_numbers_after_a_restore_are_not_those_from_the_start()
    {
        using MultiUseSandbox sandbox = Builder.UseEmulator(Seed).Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        ulong[] start = RandomNumbers(sandbox);
        sandbox.Restore(snapshot);

        Assert.That(RandomNumbers(sandbox).Intersect(start), Is.Empty);
    }

    private static ulong[] RandomNumbers(MultiUseSandbox sandbox) =>
        [.. Samples(sandbox.Call<byte[]>("ReadSources", 20u)).Chunk(6).SelectMany(static sample => sample.Skip(3))];

    private static byte[] FromSnapshot(Snapshot snapshot)
    {
        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator(Seed).WithSnapshot(snapshot).Build();
        return sandbox.Call<byte[]>("ReadSources", 20u);
    }

    private static byte[] RunOfContainer(Action<IServiceCollection> register)
    {
        var services = new ServiceCollection();
        register(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        return Run(provider.GetRequiredService<ISandboxFactory>().CreateBuilder().WithGuest(Guest));
    }

    /// <summary>Reads every source in calls that make code hot, and around a restore.</summary>
    private static byte[] Run(SandboxBuilder builder)
    {
        using MultiUseSandbox sandbox = builder.Build();
        var read = new List<byte>();
        for (int i = 0; i < 4; i++)
        {
            read.AddRange(sandbox.Call<byte[]>("ReadSources", 200u));
        }

        using Snapshot snapshot = sandbox.TakeSnapshot();
        read.AddRange(sandbox.Call<byte[]>("ReadSources", 20u));
        sandbox.Restore(snapshot);
        read.AddRange(sandbox.Call<byte[]>("ReadSources", 20u));
        read.AddRange(BitConverter.GetBytes(sandbox.Call<ulong>("GetSeed")));
        read.AddRange(BitConverter.GetBytes(sandbox.InstructionCount!.Value));
        return [.. read];
    }

    private static ulong[] Samples(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes).ToArray();
}
