using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics.X86;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Programs;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The clocks of programs: the kernel continues those of the host, and a program computes them without a system call.</summary>
internal sealed class ClockTests(TestTarget target) : ProgramTest(target)
{
    /// <summary>How long the kernel does not ask the host, and somewhat more.</summary>
    private const long Tolerance = 20_000_000;

    private const long Watched = 200_000_000;

    [Test]
    public async Task Clocks_agree_with_those_of_the_host_and_never_go_back()
    {
        ProgramRunner runner = Create(ProgramImage.FromExecutable(ClocksProgram.Build(), ImageOptions));

        await AssertAgrees(runner);
    }

    /// <summary>The counter of the processor is moved, or set, whenever the guest leaves.</summary>
    [Test]
    public async Task A_counter_that_is_wrong_makes_no_clock_wrong([Values("back", "far", "still", "start", "end", "sometimes", "random")] string change)
    {
        RequireEmulator();
        int exits = 0;
        var random = new Random(7);
        var hypervisor = new MovedCounterHypervisor(Target.Hypervisor, change switch
        {
            "back" => static counter => counter - 5_000_000,
            "far" => static counter => counter + 1_000_000_000_000,
            "still" => static _ => 1_000_000,
            "start" => static _ => 0,
            "end" => static _ => ulong.MaxValue,
            "sometimes" => counter => ++exits % 10 == 0 ? counter + 1_000_000_000_000 : counter,
            _ => counter => counter + (ulong)random.NextInt64(-20_000_000, 20_000_000),
        });
        using ProgramRunner runner = await CreateObserved(hypervisor);

        await AssertAgrees(runner);
        Assert.That(hypervisor.Moved, Is.GreaterThan(10));
    }

    /// <summary>Such a counter goes on much slower while instructions take longer. The timer of the host, if there is one, is as fast as before.</summary>
    [Test]
    public async Task A_counter_of_instructions_makes_no_clock_late([Values] bool hasTimer)
    {
        RequireEmulator();
        const ulong Seed = 7;
        using ProgramRunner runner = await CreateRunner(() => hasTimer
            ? new SandboxBuilder().WithHypervisor(new EmulatorHypervisor(new EmulatorOptions { RandomSeed = Seed }))
            : new SandboxBuilder().UseEmulator(Seed));

        ProgramResult address = await Run(runner, "", "address");
        ProgramResult result = await Run(runner, "", "delay");

        TestContext.Out.WriteLine(result.StandardOutput);
        Assert.That(address.StandardOutput, Is.EqualTo("0\n"), "programs do not compute clocks from it");
        Assert.That(Times(result.StandardOutput.Trim()), Is.All.InRange(0, Tolerance));
    }

    [Test]
    public async Task A_wait_until_a_time_of_the_wall_clock_does_not_end_before_it([Values] bool isCounterWrong)
    {
        var random = new Random(7);
        long last = Stopwatch.GetTimestamp();
        IHypervisor hypervisor = Target.Hypervisor;
        if (isCounterWrong)
        {
            RequireEmulator();
            hypervisor = new MovedCounterHypervisor(hypervisor, Jump);
        }

        using ProgramRunner runner = await CreateObserved(hypervisor);

        ProgramResult result = await Run(runner, "", "deadlines", "40");

        Assert.That((result.End, result.StandardOutput), Is.EqualTo((ProgramEnd.Exited, "0 0 0\n")), "sleeps, futexes and timers");

        // Seldom enough for its rate to be measured, and while one of the two clocks is computed.
        ulong Jump(ulong counter)
        {
            if (Stopwatch.GetElapsedTime(last).TotalMilliseconds < 9 || random.Next(2) == 0)
            {
                return counter;
            }

            last = Stopwatch.GetTimestamp();
            return counter + 1_500_000;
        }
    }

    [Test]
    public async Task Clocks_go_on_from_a_checkpoint_with_the_host()
    {
        ProgramRunner runner = Create(ProgramImage.FromExecutable(ClocksProgram.Build(), ImageOptions), checkpoint: ProgramCheckpoint.Ready);
        long[] before = Times(runner.WarmUp!.StandardOutput.Split('\n')[1]);
        Assert.That(runner.WarmUp.StandardOutput, Does.StartWith("0\n"));

        for (int run = 0; run < 2; run++)
        {
            // What the program would compute from the counter of the checkpoint differs from the host's clock by more than the tolerance.
            SpinWait.SpinUntil(() => Now() > before[0] + (5 * Tolerance));
            long start = Now();
            ProgramResult result = await Run(runner, "");
            long end = Now();

            string[] lines = result.StandardOutput.Split('\n');
            Assert.That((result.End, lines[0], lines[2]), Is.EqualTo((ProgramEnd.Exited, "1 1", "0")), result.StandardOutput);
            Assert.That(Times(lines[1]).Concat(Times(lines[3])), Is.All.InRange(start - Tolerance, end + Tolerance));
        }
    }

    /// <summary>What was computed from the counter before the checkpoint would be computed from it again.</summary>
    [Test]
    public async Task Nothing_of_a_clock_is_left_when_the_counter_goes_on_from_a_checkpoint()
    {
        RequireEmulator();
        ulong last = 0;
        var hypervisor = new MovedCounterHypervisor(Target.Hypervisor, counter => last = counter);
        using ProgramRunner runner = await CreateObserved(hypervisor, checkpoint: ProgramCheckpoint.Ready);
        long[] before = Times(runner.WarmUp!.StandardOutput.Split('\n')[1]);
        ulong? atCheckpoint = last;
        hypervisor.Change = counter =>
        {
            ulong changed = atCheckpoint ?? counter;
            atCheckpoint = null;
            return changed;
        };
        SpinWait.SpinUntil(() => Now() > before[0] + (5 * Tolerance));

        long start = Now();
        ProgramResult result = await Run(runner, "");

        Assert.That(atCheckpoint, Is.Null);
        Assert.That(Times(result.StandardOutput.Split('\n')[1]), Is.All.InRange(start - Tolerance, Now() + Tolerance));
    }

    [Test]
    public async Task System_calls_that_read_clocks_seldom_ask_the_host()
    {
        RequireFastKernel();

        await AssertSeldomAsks("calls", few: 2_000, many: 50_000, mostInstructions: 700);
    }

    [Test]
    public async Task Programs_read_clocks_without_system_calls()
    {
        RequireSteadyCounter();
        (long calls, long moreCalls) = await AssertSeldomAsks("readings", few: 2_000, many: 200_000, mostInstructions: 140);

        Assert.That(moreCalls - calls, Is.LessThan(198_000 / 4));
    }

    [Test]
    public async Task Processes_have_the_object_of_the_kernel_and_keep_it()
    {
        RequireSteadyCounter();
        ProgramRunner runner = Create(ProgramImage.FromExecutable(ClocksProgram.Build(), ImageOptions));

        ProgramResult result = await Run(runner, "", "object");
        ProgramResult damage = await Run(runner, "", "damage");
        string[] addresses = [(await Run(runner, "", "address")).StandardOutput, (await Run(runner, "", "address")).StandardOutput];

        const string Areas = "r--p other [vvar]\nr-xp object [vdso]\n";
        Assert.That(result.StandardOutput, Is.EqualTo($"{Areas}{Areas}{Areas}end\n"));
        Assert.That(damage.StandardOutput, Is.EqualTo("1\n0 0\n"));
        Assert.That(addresses, Is.Unique.And.None.EqualTo("0\n"));
    }

    [Test]
    public async Task With_a_seed_there_is_no_object_and_each_reading_is_a_system_call()
    {
        using ProgramRunner runner = await CreateObserved(Target.Hypervisor, seed: 5);

        ProgramResult address = await Run(runner, "", "address");
        ProgramResult few = await Run(runner, "", "readings", "10");
        ProgramResult many = await Run(runner, "", "readings", "110");

        Assert.That(address.StandardOutput, Is.EqualTo("0\n"));
        Assert.That(many.Usage.SystemCalls - few.Usage.SystemCalls, Is.EqualTo(100));
    }

    [Test]
    public async Task Errors_are_those_of_Linux()
    {
        NativeProgram.Require();
        string path = ClocksProgram.Build();

        (int exitCode, string output, _) = NativeProgram.Run(path, "", "errors");
        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions)), "", "errors");

        Assert.That((result.ExitCode, result.StandardOutput), Is.EqualTo((exitCode, output)));
    }

    private void RequireEmulator()
    {
        if (Target.Hypervisor.Name != EmulatorHypervisor.DriverName)
        {
            Assert.Ignore("The counter of the emulator is moved.");
        }
    }

    private void RequireSteadyCounter()
    {
        const int Leaf = unchecked((int)0x8000_0007);
        if (Target.Hypervisor.Name != EmulatorHypervisor.DriverName && (X86Base.CpuId(Leaf, 0).Edx & 1 << 8) == 0)
        {
            Assert.Ignore("The counter of this processor is not invariant.");
        }
    }

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private static long[] Times(string line) => [.. line.Split(' ').Select(static time => long.Parse(time, CultureInfo.InvariantCulture))];

    private static async Task AssertAgrees(ProgramRunner runner)
    {
        long start = Now();
        ProgramResult result = await Run(runner, "", "watch", Watched.ToString(CultureInfo.InvariantCulture));
        long end = Now();

        string[] lines = result.StandardOutput.Split('\n');
        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)), result.StandardOutput);
        Assert.That((lines[1], lines[2]), Is.EqualTo(("0", "0")), "how often clocks have gone back");
        Assert.That(Times(lines[0]).Concat(Times(lines[3])), Is.All.InRange(start - Tolerance, end + Tolerance));
        Assert.That(long.Parse(lines[4], CultureInfo.InvariantCulture), Is.InRange(Watched, end - start + Tolerance));
    }

    /// <summary>Two runs that differ in the number of readings alone. The host is asked each few milliseconds, besides the first ones.</summary>
    private async Task<(long Calls, long MoreCalls)> AssertSeldomAsks(string command, int few, int many, int mostInstructions)
    {
        const int First = 1_000;
        var observed = new ObservedHypervisor(Target.Hypervisor);
        using ProgramRunner runner = await CreateObserved(observed);

        (ProgramResult result, _, _) = await Count(few);
        (ProgramResult more, int exits, double milliseconds) = await Count(many);

        TestContext.Out.WriteLine($"{exits} exits in {milliseconds} ms, {result.Usage} {more.Usage}");
        Assert.That(exits, Is.LessThan(Math.Min(First + (milliseconds / 2), many / 2)));
        if ((more.Usage.Instructions - result.Usage.Instructions) is { } instructions)
        {
            TestContext.Out.WriteLine($"{(double)instructions / (many - few)} instructions");
            Assert.That((double)instructions / (many - few), Is.InRange(20, mostInstructions));
        }

        return (result.Usage.SystemCalls!.Value, more.Usage.SystemCalls!.Value);

        async Task<(ProgramResult Result, int Exits, double Milliseconds)> Count(int readings)
        {
            int before = observed.Machine.ExitCount;
            long start = Stopwatch.GetTimestamp();
            ProgramResult result = await Run(runner, "", command, readings.ToString(CultureInfo.InvariantCulture));
            Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
            return (result, observed.Machine.ExitCount - before, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    private Task<ProgramRunner> CreateObserved(IHypervisor hypervisor, ulong? seed = null, ProgramCheckpoint checkpoint = default) =>
        CreateRunner(() => new SandboxBuilder().WithHypervisor(hypervisor), seed, checkpoint);

    private Task<ProgramRunner> CreateRunner(Func<SandboxBuilder> createBuilder, ulong? seed = null, ProgramCheckpoint checkpoint = default) => ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = ProgramImage.FromExecutable(ClocksProgram.Build(), ImageOptions),
        Limits = WithTime(new ProgramLimits()),
        Seed = seed,
        Checkpoint = checkpoint,
        CreateBuilder = createBuilder,
    });
}
