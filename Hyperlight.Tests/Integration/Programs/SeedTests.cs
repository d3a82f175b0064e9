using System.Globalization;
using Hyperlight.Programs;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs with a seed: what they find of time and chance is the same in each run.</summary>
internal sealed class SeedTests(TestTarget target) : ProgramTest(target)
{
    private const ulong Seed = 42;

    /// <summary>What two seeds, and two runs without one, differ in.</summary>
    private static readonly string[] Random = ["vector", "getrandom", "urandom", "stack", "mapping"];

    private static readonly DateTimeOffset DefaultStart = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task Runs_with_the_same_seed_have_the_same_output([Values(Fixed, PositionIndependent)] string program)
    {
        await using ProgramRunner runner = await Create(program, Seed);
        await using ProgramRunner another = await Create(program, Seed);

        string output = await Chance(runner);

        Assert.That(await Chance(runner), Is.EqualTo(output));
        Assert.That(await Chance(another), Is.EqualTo(output));
        Assert.That(int.Parse(Line(output, "switches"), CultureInfo.InvariantCulture), Is.GreaterThan(5), "there are time slices");
    }

    [Test]
    public async Task The_output_does_not_depend_on_the_driver()
    {
        await using ProgramRunner runner = await Create(PositionIndependent, Seed);
        await using ProgramRunner emulated = await ProgramRunner.CreateAsync(
            Template(PositionIndependent, Seed) with { CreateBuilder = static () => new SandboxBuilder().UseEmulator() });

        Assert.That(await Chance(runner), Is.EqualTo(await Chance(emulated)));
    }

    [Test]
    public async Task Another_seed_has_another_output()
    {
        await using ProgramRunner runner = await Create(PositionIndependent, Seed);
        await using ProgramRunner other = await Create(PositionIndependent, Seed + 1);

        string output = await Chance(runner);
        string ofOther = await Chance(other);

        Assert.That(Random.Append("code").Append("break").Where(name => Line(output, name) == Line(ofOther, name)), Is.Empty);
        Assert.That(await Chance(runner, Seed + 1), Is.EqualTo(ofOther), "the seed of a run replaces that of the template");
        Assert.That(await Chance(runner), Is.EqualTo(output), "and no later run's");
    }

    [Test]
    public async Task Runs_without_a_seed_differ()
    {
        await using ProgramRunner runner = await Create(PositionIndependent, seed: null);

        string first = await Chance(runner);
        string second = await Chance(runner);

        Assert.That(Random.Append("wall").Append("monotonic").Where(name => Line(first, name) == Line(second, name)), Is.Empty);
        Assert.That(() => Chance(runner, Seed), Throws.ArgumentException.With.Message.Contains("ProgramTemplate.Seed"));
    }

    [Test]
    public async Task Runs_from_a_checkpoint_are_repeatable(
        [Values(ProgramCheckpoint.EntryPoint, ProgramCheckpoint.Ready)] ProgramCheckpoint checkpoint, [Values] bool hasTrial)
    {
        if (hasTrial)
        {
            RequireFastKernel();
        }

        ProgramTemplate template = Template(PositionIndependent, Seed) with
        {
            Command = ["program", "chance-ready"],
            Checkpoint = checkpoint,
            TrialInput = hasTrial ? ProgramInput.Empty : null,
        };
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(template);
        await using ProgramRunner another = await ProgramRunner.CreateAsync(template);

        string output = await Output(runner, ProgramInput.Empty);

        Assert.That(another.WarmUp!.StandardOutput, Is.EqualTo(runner.WarmUp!.StandardOutput));
        Assert.That(await Output(runner, ProgramInput.Empty), Is.EqualTo(output));
        Assert.That(await Output(another, ProgramInput.Empty), Is.EqualTo(output));
        Assert.That(hasTrial ? runner.WarmUp.Trial!.StandardOutput : output, Is.EqualTo(output));
        string ofOther = await Output(runner, new ProgramInput { Seed = Seed + 1 });
        Assert.That(Line(ofOther, "getrandom"), Is.Not.EqualTo(Line(output, "getrandom")));
        Assert.That(Line(ofOther, "vector"), Is.Not.EqualTo(Line(output, "vector")), "the run's seed is that of AT_RANDOM");
        Assert.That(Line(ofOther, "wall"), Is.EqualTo(Line(output, "wall")));
    }

    [Test]
    public async Task What_is_drawn_after_a_checkpoint_was_not_drawn_before()
    {
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(
            Template(Fixed, Seed) with { Command = ["program", "chance-ready"], Checkpoint = ProgramCheckpoint.Ready });

        string before = runner.WarmUp!.StandardOutput;
        string after = await Output(runner, ProgramInput.Empty);

        Assert.That(new[] { "vector", "getrandom", "urandom" }.Where(name => Line(before, name) == Line(after, name)), Is.Empty);
        Assert.That(Number(after, "monotonic"), Is.GreaterThan(Number(before, "monotonic")), "the monotonic clock goes on");
        Assert.That(Number(after, "wall") - Nanoseconds(DefaultStart), Is.InRange(0, 1_000_000_000), "the wall clock begins with the run");
    }

    [Test]
    public async Task Runs_in_all_sandboxes_of_a_pool_have_the_same_output([Values(ProgramCheckpoint.None, ProgramCheckpoint.Ready)] ProgramCheckpoint checkpoint)
    {
        IServiceCollection services = new ServiceCollection().AddLogging();
        services.AddHyperlight(static options => options.GuestThreads = new GuestThreads(2)).RemoveBuiltInDrivers().AddDriver(Target.Hypervisor).AddProgram("test", options =>
        {
            options.Image = ProgramImage.FromExecutable(PathOf(PositionIndependent), ImageOptions);
            options.Command = ["program", checkpoint == ProgramCheckpoint.Ready ? "chance-ready" : "chance"];
            options.Checkpoint = checkpoint;
            options.Limits = WithTime(new ProgramLimits());
            options.Seed = Seed;
            options.StartTime = DefaultStart;
            options.Pool = new SandboxPoolOptions { MinimumSize = 2, MaximumSize = 2 };
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        IProgramRunner runner = provider.GetRequiredKeyedService<IProgramRunner>("test");
        await using ProgramRunner alone = await ProgramRunner.CreateAsync(Template(PositionIndependent, Seed) with
        {
            Command = ["program", checkpoint == ProgramCheckpoint.Ready ? "chance-ready" : "chance"],
            Checkpoint = checkpoint,
        });

        ProgramResult[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => runner.RunAsync(ProgramInput.Empty)));

        Assert.That(results.Select(static result => result.StandardOutput), Has.All.EqualTo(await Output(alone, ProgramInput.Empty)));
    }

    [Test]
    public async Task Python_is_repeatable()
    {
        RequireFastExecution();
        RequireFastKernel();
        const string Script =
            """
            import datetime, os, random, threading, time, uuid
            start = time.perf_counter()
            order = []
            def work(name):
                for i in range(20):
                    order.append(name)
                    time.sleep(random.random())
            threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print("".join(order), time.perf_counter() - start)
            print(datetime.datetime.now(), time.time_ns(), uuid.uuid4(), os.urandom(8).hex(), hash("text"), id(object()), list({"a", "b", "c", "d"}))
            """;
        var template = new ProgramTemplate
        {
            Image = InstalledProgram.Image("/usr/bin/python3", ImageOptions, "/usr/lib/python3.11"),
            Command = ["/usr/bin/python3", "-I", "-S", "-c", Script],
            Limits = WithTime(new ProgramLimits()),
            Seed = Seed,
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
        };
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(template);
        await using ProgramRunner another = await ProgramRunner.CreateAsync(template);

        string output = await Output(runner, ProgramInput.Empty);
        string other = await Output(runner, new ProgramInput { Seed = Seed + 1 });

        Assert.That(output, Does.Contain("2026-01-01 00:00:"));
        Assert.That(await Output(another, ProgramInput.Empty), Is.EqualTo(output));
        Assert.That(other.Split('\n')[0], Is.Not.EqualTo(output.Split('\n')[0]));
        Assert.That(other.Split('\n')[1], Is.Not.EqualTo(output.Split('\n')[1]));
    }

    [Test]
    public async Task Without_a_seed_AT_RANDOM_of_a_run_is_not_that_of_the_checkpoint(
        [Values(ProgramCheckpoint.EntryPoint, ProgramCheckpoint.Ready)] ProgramCheckpoint checkpoint)
    {
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(
            Template(Fixed, seed: null) with { Command = ["program", "chance-ready"], Checkpoint = checkpoint });

        string[] outputs = [runner.WarmUp!.StandardOutput, await Output(runner, ProgramInput.Empty), await Output(runner, ProgramInput.Empty)];

        Assert.That(outputs.Where(static output => output.Length > 0).Select(static output => Line(output, "vector")), Is.Unique);
    }

    [Test]
    public async Task A_wait_takes_no_time_and_the_clocks_go_on_by_it()
    {
        await using ProgramRunner runner = await Create(Fixed, Seed, Enough);

        ProgramResult result = await runner.RunAsync(Arguments("sleeps"));

        // An hour and a half second, and ten microseconds for each system call.
        Assert.That((result.End, result.StandardOutput), Is.EqualTo((ProgramEnd.Exited, "monotonic 3600500030000\nwall 3600500070000\n")));
    }

    [Test]
    public async Task Time_passes_for_a_program_that_reads_the_clock()
    {
        await using ProgramRunner runner = await Create(Fixed, Seed);

        Assert.That((await runner.RunAsync(Arguments("clock-spin"))).StandardOutput, Is.EqualTo("readings 1999\n"));
    }

    [Test]
    public async Task The_wall_clock_starts_at_the_time_that_the_application_sets()
    {
        var start = new DateTimeOffset(2030, 5, 6, 7, 8, 9, TimeSpan.Zero);
        await using ProgramRunner usual = await Create(Fixed, Seed);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(Template(Fixed, Seed) with { StartTime = start });

        Assert.That(Number(await Chance(usual), "wall") - Nanoseconds(DefaultStart), Is.InRange(0, 1_000_000_000));
        Assert.That(Number(await Chance(runner), "wall") - Nanoseconds(start), Is.InRange(0, 1_000_000_000));
    }

    [Test]
    public async Task Limits_of_time_are_of_real_time()
    {
        await using ProgramRunner runner = await Create(Fixed, Seed, TimeSpan.FromSeconds(1));

        ProgramResult result = await runner.RunAsync(Arguments("sleep-for-ever", "1"));

        Assert.That(result.End, Is.EqualTo(ProgramEnd.TimeLimit));
        Assert.That(result.Usage.Time, Is.GreaterThan(TimeSpan.FromSeconds(0.9)));
    }

    [Test]
    public async Task A_program_that_sleeps_longer_than_the_clock_lasts_is_ended()
    {
        await using ProgramRunner runner = await Create(Fixed, Seed);

        ProgramResult decades = await runner.RunAsync(Arguments("sleep-for-ever", "1000000000"));
        ProgramResult longest = await runner.RunAsync(Arguments("sleep-for-ever", "9000000000"));

        Assert.That((decades.End, longest.End), Is.EqualTo((ProgramEnd.Deadlock, ProgramEnd.Deadlock)));
        Assert.That((await runner.RunAsync(Arguments("sleeps"))).End, Is.EqualTo(ProgramEnd.Exited));
    }

    [Test]
    public void A_start_time_needs_a_seed() =>
        Assert.That(
            () => ProgramRunner.CreateAsync(Template(Fixed, seed: null) with { StartTime = DefaultStart }),
            Throws.ArgumentException.With.Message.Contains("StartTime"));

    private static ProgramInput Arguments(params string[] arguments) => new() { Arguments = arguments };

    private static Task<string> Chance(ProgramRunner runner, ulong? seed = null) => Output(runner, Arguments("chance") with { Seed = seed });

    private static async Task<string> Output(ProgramRunner runner, ProgramInput input)
    {
        ProgramResult result = await runner.RunAsync(input);
        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)), result.StandardError);
        return result.StandardOutput;
    }

    /// <summary>What the first line of a name says.</summary>
    private static string Line(string output, string name) =>
        output.Split('\n').First(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..];

    private static long Number(string output, string name) => long.Parse(Line(output, name), CultureInfo.InvariantCulture);

    private static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    private Task<ProgramRunner> Create(string program, ulong? seed, TimeSpan? time = null)
    {
        ProgramTemplate template = Template(program, seed);
        return ProgramRunner.CreateAsync(time is { } limit ? template with { Limits = new ProgramLimits { Time = limit } } : template);
    }

    private ProgramTemplate Template(string program, ulong? seed) => new()
    {
        Image = ProgramImage.FromExecutable(PathOf(program), ImageOptions),
        Limits = WithTime(new ProgramLimits()),
        Seed = seed,
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
    };
}
