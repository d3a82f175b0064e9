using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>What ends a program from outside, and that the next run knows nothing of it.</summary>
internal sealed class ProgramLimitTests(TestTarget target) : ProgramTest(target)
{
    private const int Killed = 9;
    private const int KilledExitCode = 137;
    private const int SmallOutput = 10_000;
    private const long SmallMemory = 0x80_0000;

    private ProgramRunner _runner = null!;
    private ProgramRunner _hostile = null!;

    [OneTimeSetUp]
    public void CreateRunners()
    {
        _runner = Create(Fixed, new ProgramLimits { Memory = SmallMemory, Output = SmallOutput });
        _hostile = Create(Fixed, new ProgramLimits { Memory = SmallMemory, Output = SmallOutput, Time = TimeSpan.FromSeconds(IsEmulatingKvm ? 5 : 2) });
    }

    [TearDown]
    public async Task The_next_run_is_clean()
    {
        ProgramResult result = await Run(_runner, "", "hello");
        Assert.That((result.StandardOutput, result.ExitCode), Is.EqualTo(("hello\n", 7)));
    }

    [Test]
    public async Task A_run_finds_nothing_of_the_last_one()
    {
        await Run(_runner, "", "remember");
        Assert.That((await Run(_runner, "", "remember")).StandardOutput, Is.EqualTo("before 0\n"));
    }

    [Test]
    public async Task Output_ends_at_its_limit()
    {
        ProgramResult result = await Run(_runner, "", "flood");

        Assert.That(result.End, Is.EqualTo(ProgramEnd.OutputLimit));
        Assert.That(result.Signal, Is.EqualTo(Killed));
        Assert.That(result.StandardOutputBytes.Length, Is.EqualTo(SmallOutput));
    }

    [Test]
    public async Task A_loop_ends_at_the_time_limit()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Time = TimeSpan.FromMilliseconds(200) });

        ProgramResult result = await Run(runner, "", "loop");

        Assert.That((result.End, result.Signal, result.ExitCode), Is.EqualTo((ProgramEnd.TimeLimit, Killed, KilledExitCode)));
    }

    [Test]
    public async Task A_loop_ends_at_the_limit_of_its_computing_time()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { CpuTime = TimeSpan.FromMilliseconds(200) });

        ProgramResult result = await Run(runner, "", "loop");

        Assert.That((result.End, result.Signal, result.ExitCode), Is.EqualTo((ProgramEnd.CpuTimeLimit, Killed, KilledExitCode)));
        Assert.That(result.Usage.CpuTime, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(200)));
        Assert.That(result.Usage.SystemCalls, Is.Null);
    }

    [Test]
    public async Task A_program_that_waits_does_not_compute()
    {
        // By the host's clock, which goes on while a slow machine does not execute the program.
        TimeSpan limit = Enough;
        ProgramRunner runner = Create(Fixed, new ProgramLimits { CpuTime = limit });
        var input = new System.IO.Pipelines.Pipe();
        await using ProgramRun run = runner.Start(new ProgramInput { Arguments = ["echo"], StandardInputStream = input.Reader.AsStream() });
        await using IAsyncEnumerator<ProgramOutput> output = run.Output.GetAsyncEnumerator();
        await input.Writer.WriteAsync("x"u8.ToArray());
        Assert.That(await output.MoveNextAsync(), Is.True, "it has begun");

        await Task.Delay(limit + TimeSpan.FromSeconds(0.5));
        Assert.That(run.Result.IsCompleted, Is.False);
        await input.Writer.CompleteAsync();
        string rest = "";
        while (await output.MoveNextAsync())
        {
            rest += output.Current.IsError ? "" : output.Current.Text;
        }

        ProgramResult result = await run.Result;

        Assert.That((result.End, rest), Is.EqualTo((ProgramEnd.Exited, "bytes 1\n")));
        Assert.That(result.Usage.Time, Is.GreaterThan(limit));
        Assert.That(result.Usage.CpuTime, Is.LessThan(limit));
    }

    [Test]
    public async Task A_loop_ends_at_the_limit_of_its_instructions_where_they_are_counted()
    {
        const long Limit = 20_000_000;
        var limits = new ProgramLimits { Instructions = Limit };
        if (!Target.Hypervisor.CountsInstructions)
        {
            UnsupportedConfigurationException refusal = Assert.Throws<UnsupportedConfigurationException>(() => Create(Fixed, limits));
            Assert.That(refusal.Message, Is.EqualTo(
                $"ProgramLimits.Instructions is 20000000, but the hypervisor is '{Target.Hypervisor.Name}', which does not count instructions. Run the program on the emulator, or do not set it."));
            return;
        }

        ProgramRunner runner = Create(Fixed, limits);

        ProgramResult loop = await Run(runner, "", "loop");
        ProgramResult hello = await Run(runner, "", "hello");

        Assert.That((loop.End, loop.Signal, loop.Usage.Instructions), Is.EqualTo((ProgramEnd.InstructionLimit, Killed, Limit)));
        Assert.That((hello.End, hello.StandardOutput), Is.EqualTo((ProgramEnd.Exited, "hello\n")));
        Assert.That(hello.Usage.Instructions, Is.InRange(100, Limit));
    }

    [Test]
    public async Task System_calls_end_at_their_limit()
    {
        // It writes, and exits.
        ProgramResult enough = await Run(Create(Fixed, new ProgramLimits { SystemCalls = 2 }), "", "hello");
        ProgramResult tooFew = await Run(Create(Fixed, new ProgramLimits { SystemCalls = 1 }), "", "hello");
        ProgramResult none = await Run(Create(Fixed, new ProgramLimits { SystemCalls = 0 }), "", "hello");

        Assert.That((enough.End, enough.ExitCode, enough.Usage.SystemCalls), Is.EqualTo((ProgramEnd.Exited, 7, 2L)));
        Assert.That((tooFew.End, tooFew.Signal, tooFew.Usage.SystemCalls), Is.EqualTo((ProgramEnd.SystemCallLimit, Killed, 1L)));
        Assert.That((none.End, none.StandardOutput, none.Usage.SystemCalls), Is.EqualTo((ProgramEnd.SystemCallLimit, "", 0L)));
        Assert.That((enough.StandardOutput, tooFew.StandardOutput), Is.EqualTo(("hello\n", "hello\n")));
    }

    [Test]
    public async Task System_calls_of_all_processes_and_threads_count_together()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { SystemCalls = 40 });

        Assert.That((await Run(runner, "", "exhaust-processes")).End, Is.EqualTo(ProgramEnd.SystemCallLimit));
        Assert.That((await Run(runner, "", "exhaust-threads")).End, Is.EqualTo(ProgramEnd.SystemCallLimit));
        Assert.That((await Run(runner, "", "hello")).Usage.SystemCalls, Is.EqualTo(2));
    }

    [Test]
    public async Task System_calls_are_counted_from_the_checkpoint()
    {
        ProgramRunner runner = Create(
            ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions), limits: new ProgramLimits { SystemCalls = 2 }, checkpoint: ProgramCheckpoint.EntryPoint);

        ProgramResult result = await Run(runner, "", "hello");

        Assert.That((result.End, result.Usage.SystemCalls), Is.EqualTo((ProgramEnd.Exited, 2L)));
    }

    [Test]
    public async Task A_token_ends_a_run()
    {
        using var source = new CancellationTokenSource();
        Task<ProgramResult> run = _runner.RunAsync(new ProgramInput { Arguments = ["loop"] }, source.Token);
        source.CancelAfter(50);

        await Assert.ThatAsync(() => run, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Memory_is_refused_at_its_limit()
    {
        ProgramResult result = await Run(_runner, "", "exhaust");

        Assert.That(result.StandardOutput, Is.EqualTo("refused -12\nmore than 4 1\nmissing 0\n"));
        Assert.That(result.ExitCode, Is.Zero);
    }

    [Test]
    public async Task A_program_that_uses_more_memory_than_its_limit_is_killed()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Memory = ProgramLimits.MinimumMemory });

        ProgramResult result = await Run(runner, "", "recurse", "1500");

        Assert.That((result.End, result.Signal), Is.EqualTo((ProgramEnd.MemoryLimit, Killed)));
    }

    [Test]
    public async Task A_stack_has_a_limit()
    {
        ProgramRunner runner = Create(Fixed);

        ProgramResult result = await Run(runner, "", "recurse", "5000");

        Assert.That((result.End, result.Signal), Is.EqualTo((ProgramEnd.Signaled, 11)));
    }

    [Test]
    public async Task System_calls_that_are_not_implemented_are_named_and_counted()
    {
        ProgramResult result = await Run(_runner, "", "unsupported");

        Assert.That(result.StandardOutput, Is.EqualTo("bpf -38\nbpf -38\nacct -38\nnone -38\n"));
        Assert.That(result.UnsupportedSystemCalls, Is.EqualTo(new UnsupportedSystemCall[] { new("acct", 1), new("bpf", 2), new("unknown", 1) }));
    }

    [Test]
    public async Task Random_system_calls_do_not_end_the_kernel([Range(1, 12)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");

        ProgramResult result = await Run(_runner, "some input", "random-calls", $"{seed}", "3000");

        // The program may have taken its own memory away.
        Assert.That(result.End, Is.AnyOf(ProgramEnd.Exited, ProgramEnd.Signaled, ProgramEnd.MemoryLimit, ProgramEnd.OutputLimit));
    }

    [Test]
    public async Task Threads_that_all_wait_end_the_program()
    {
        ProgramResult result = await Run(_runner, "", "deadlock");

        Assert.That((result.End, result.Signal, result.ExitCode), Is.EqualTo((ProgramEnd.Deadlock, Killed, KilledExitCode)));
    }

    [Test]
    public async Task Threads_have_a_limit()
    {
        RequireFastKernel();
        ProgramResult result = await Run(Create(Fixed), "", "exhaust-threads");

        Assert.That(result.StandardOutput, Is.EqualTo("refused -11\nthreads 255\nwoken 255\nagain 1\n"));
    }

    [Test]
    public async Task Threads_and_processes_have_the_limits_of_the_application()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Threads = 5, Processes = 3 });

        ProgramResult threads = await Run(runner, "", "exhaust-threads");
        ProgramResult processes = await Run(runner, "", "exhaust-processes");

        Assert.That(threads.StandardOutput, Is.EqualTo("refused -11\nthreads 4\nwoken 4\nagain 1\n"));
        Assert.That(processes.StandardOutput, Is.EqualTo("refused -11\nprocesses 2\nended 2\nagain 1\nstatus 256\n"));
    }

    [Test]
    public async Task One_thread_can_be_all_that_a_program_has()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Threads = 1, Processes = 1 });

        Assert.That((await Run(runner, "", "hello")).StandardOutput, Is.EqualTo("hello\n"));
        Assert.That((await Run(runner, "", "exhaust-threads")).StandardOutput, Does.StartWith("refused -11\nthreads 0\n"));
        Assert.That((await Run(runner, "", "exhaust-processes")).StandardOutput, Does.StartWith("refused -11\nprocesses 0\n"));
    }

    [Test]
    public async Task Threads_that_have_no_memory_are_refused()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Memory = ProgramLimits.MinimumMemory });

        ProgramResult result = await Run(runner, "", "exhaust-threads");

        // The last two lines show that the memory of the threads is used again.
        Assert.That(result.StandardOutput, Does.StartWith("refused -1").And.EndsWith("again 1\n"));
        Assert.That(result.End, Is.EqualTo(ProgramEnd.Exited));
    }

    [Test]
    public async Task Processes_have_a_limit()
    {
        RequireFastKernel();
        ProgramResult result = await Run(Create(Fixed), "", "exhaust-processes");

        Assert.That(result.StandardOutput, Is.EqualTo("refused -11\nprocesses 31\nended 31\nagain 1\nstatus 256\n"));
    }

    [Test]
    public async Task Processes_that_create_processes_end_with_the_first()
    {
        RequireFastKernel();
        ProgramResult result = await Run(_runner, "", "fork-bomb");

        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
    }

    [Test]
    public async Task Random_frames_of_handlers_do_not_end_the_kernel([Range(1, 24)] int seed)
    {
        RequireFastKernelAfter(seed, few: 4);
        TestContext.Out.WriteLine($"seed {seed}");

        ProgramResult result = await Run(_hostile, "", "random-frames", $"{seed}", "2000");

        // A frame may lead to a loop, or to a system call that waits.
        Assert.That(result.End, Is.AnyOf(ProgramEnd.Exited, ProgramEnd.Signaled, ProgramEnd.Deadlock, ProgramEnd.TimeLimit));
    }

    [Test]
    public async Task Random_system_calls_of_threads_do_not_end_the_kernel([Range(1, 12)] int seed)
    {
        RequireFastKernelAfter(seed, few: 2);
        TestContext.Out.WriteLine($"seed {seed}");

        ProgramResult result = await Run(_hostile, "", "random-threads", $"{seed}");

        Assert.That(result.End, Is.Not.EqualTo(ProgramEnd.OutputLimit));
    }

    [Test]
    public async Task A_program_has_one_code_segment()
    {
        if (IsEmulatingKvm)
        {
            Assert.Ignore("On a KVM without hardware virtualization, programs run with the descriptor table of the host, which has a code segment of its own.");
        }

        ProgramResult result = await Run(_runner, "", "far-returns");

        Assert.That(result.StandardOutput, Is.EqualTo("segment 59\n"));
    }

    [Test]
    public async Task Only_the_first_number_of_a_write_counts_for_an_eventfd()
    {
        ProgramResult result = await Run(_runner, "", "long-event");

        Assert.That(result.StandardOutput, Is.EqualTo("written 8\nread 8\nvalue 1\n"));
    }

    [Test]
    public async Task Memory_that_a_program_has_given_back_is_free()
    {
        ProgramResult result = await Run(Create(Fixed), "", "balance");

        Assert.That(
            result.StandardOutput.ReplaceLineEndings(" "),
            Is.EqualTo("files free 0   promised 0 names free 0   promised 0 memory free 0   promised 0 processes free 0   promised 0 "));
    }

    [Test]
    public async Task A_program_that_does_everything_at_random_does_not_end_the_kernel_and_leaves_nothing([Range(1, 4)] int seed)
    {
        RequireFastKernelAfter(seed, few: 1);
        TestContext.Out.WriteLine($"seed {seed}");
        // What looks for residue has to come to its end.
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Memory = SmallMemory, Output = SmallOutput, Time = Enough });
        string before = (await Run(runner, "", "residue")).StandardOutput;

        ProgramResult result = await Run(runner, "some input", "storm", $"{seed}", "200");

        TestContext.Out.WriteLine($"{result.End}, signal {result.Signal}");
        Assert.That((await Run(runner, "", "residue")).StandardOutput, Is.EqualTo(before).And.StartWith("selector"));
    }

    [Test]
    public async Task A_fault_states_its_address()
    {
        ProgramResult result = await Run(_runner, "", "null");

        Assert.That((result.End, result.Signal, result.FaultAddress), Is.EqualTo((ProgramEnd.Signaled, 11, 8UL)));
    }
}
