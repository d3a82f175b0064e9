using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using Hyperlight.Programs;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program that waits for its standard input does so as on Linux: its other threads and processes, timers and signals go on.</summary>
internal sealed class StandardInputTests(TestTarget target) : ProgramTest(target)
{
    /// <summary>What is written, and after which text of the program. No input is its end.</summary>
    private static readonly Dictionary<string, (string After, string? Input)[]> Conversations = new()
    {
        ["input-threads"] = [("beats\n", "one"), ("yields\n", "two")],
        ["input-polls"] =
        [
            ("waits for a poll\n", "hello"), ("waits for select\n", "select"), ("waits for epoll\n", "epoll"), ("waits for an edge\n", "edge"),
            ("waits for another edge\n", "other"), ("waits for vectors\n", "ab"), ("waits for the end\n", null),
        ],
        ["input-without-waiting"] = [("waits for some\n", "abc"), ("waits with a read\n", "def"), ("waits for the end\n", null)],
        ["input-signals"] = [("waits with signals\n", "text")],
        ["input-processes"] = [("child\n", "parent"), ("waits in the child\n", "child")],
        ["input-readers"] = [("readers wait\n", "abc"), ("waits with a poll\n", "rest"), ("waits for the end\n", null)],
        ["input-taken"] = [("waits for a signal\n", "one"), ("waits until it is killed\n", "two"), ("waits until the process ends\n", "three")],
    };

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [TearDown]
    public async Task The_next_run_is_clean() =>
        Assert.That((await Run(_runner, "", "hello")).StandardOutput, Is.EqualTo("hello\n"));

    /// <summary>Far more than a busy machine needs: only what never ends takes longer.</summary>
    private static TimeSpan Patience => TimeSpan.FromMinutes(3);

    /// <summary>
    /// The program mostly waits then, or asks again and again: it is to find the input at the same place in each run. If it does not, what it does is right all the same.
    /// </summary>
    private static TimeSpan Pause => TimeSpan.FromMilliseconds(50);

    [Test]
    public async Task A_program_waits_for_input_as_on_Linux(
        [Values("input-threads", "input-polls", "input-without-waiting", "input-signals", "input-processes", "input-readers", "input-taken")] string command)
    {
        NativeProgram.Require();
        (string After, string? Input)[] conversation = Conversations[command];
        string expected = await ConverseNatively(command, conversation);

        (string output, ProgramResult result) = await Converse(_runner, [command], conversation);

        TestContext.Out.WriteLine(output);
        Assert.That(output, Is.EqualTo(expected));
        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }

    [Test]
    public async Task A_thread_that_computes_does_not_keep_another_one_from_input()
    {
        if (!Target.Hypervisor.InjectsInterrupts)
        {
            Assert.Ignore($"{Target.Driver} does not interrupt programs.");
        }

        (string output, _) = await Converse(_runner, ["input-computing"], [("computes\n", "text")]);

        Assert.That(output, Is.EqualTo("computes\ntext\nread 4\n"));
    }

    [Test]
    public async Task A_shell_waits_for_input_while_another_process_goes_on()
    {
        RequireFastTranslation();
        const string Shell = "/bin/sh";
        ProgramRunner runner = Create(InstalledProgram.Image(Shell, ImageOptions, "/bin/sleep"), [Shell, "-c", "{ sleep 0.1; echo other; } & read line; echo got $line; wait"]);

        (string output, ProgramResult result) = await Converse(runner, [], [("other\n", "text\n")]);

        Assert.That((output, result.ExitCode), Is.EqualTo(("other\ngot text\n", 0)));
    }

    [Test]
    public async Task Complete_input_is_read_to_its_end([Values] bool isStream)
    {
        byte[] input = Enumerable.Range(0, 60_000).Select(static i => (byte)(i % 100)).ToArray();
        var stream = new MemoryStream(input);

        ProgramResult all = await RunWith("input-all");
        stream.Position = 0;
        ProgramResult whole = await RunWith("input-whole");

        Assert.That(all.StandardOutput, Is.EqualTo($"total {input.Length}\nsum {input.Sum(static value => value)}\nhang up 16\n"));
        Assert.That(whole.ExitCode, Is.Zero);
        if (!isStream)
        {
            Assert.That(whole.StandardOutput, Is.EqualTo("calls 1\n"), "a program takes less than it has asked for as a sign that nothing is left");
        }

        Task<ProgramResult> RunWith(string command) => _runner.RunAsync(isStream
            ? new ProgramInput { Arguments = [command], StandardInputStream = stream }
            : new ProgramInput { Arguments = [command], StandardInput = input });
    }

    [Test]
    public async Task A_program_in_which_nothing_waits_for_input_ends_by_a_deadlock()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Time = Enough });

        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["input-deadlock"], StandardInputStream = new Pipe().Reader.AsStream() });

        Assert.That((result.End, result.StandardOutput), Is.EqualTo((ProgramEnd.Deadlock, "no poll 0\n  events 0\n\nnothing -11\n")));
    }

    [Test]
    public async Task A_run_from_a_checkpoint_has_its_own_input_although_the_program_has_found_none_before()
    {
        ProgramRunner runner = Create(
            ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions), [Fixed, "input-checkpoint"], new ProgramLimits { Time = Enough }, ProgramCheckpoint.Ready);

        ProgramResult result = await Run(runner, "text");
        ProgramResult none = await Run(runner, "");

        Assert.That(runner.WarmUp!.StandardOutput, Is.EqualTo("before epoll 1\n  events 16\n\nbefore 0\n"));
        Assert.That(result.StandardOutput, Is.EqualTo("after epoll 1\n  events 1\nafter poll 1\n  events 1\ntext\nafter 4\n"));
        Assert.That(none.StandardOutput, Is.EqualTo("after epoll 1\n  events 16\nafter poll 1\n  events 16\n\nafter 0\n"));
    }

    /// <summary>The host says with each part whether more follows, so that neither polls nor the end take a call of it.</summary>
    [Test]
    public async Task Complete_input_takes_one_call_of_the_host_for_each_read()
    {
        var observed = new ObservedHypervisor(Target.Hypervisor);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
            Command = [Fixed, "input-all"],
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(observed),
        });
        await ExitsAsync(1000);

        int one = await ExitsAsync(1000);
        int six = await ExitsAsync(6000);

        TestContext.Out.WriteLine($"{one} exits for one read, {six} exits for six");
        Assert.That(six - one, Is.LessThanOrEqualTo(5));

        async Task<int> ExitsAsync(int size)
        {
            int before = observed.Machine.ExitCount;
            ProgramResult result = await Run(runner, new string('x', size));
            Assert.That(result.StandardOutput, Does.StartWith($"total {size}\n"));
            return observed.Machine.ExitCount - before;
        }
    }

    private static async Task<(string Output, ProgramResult Result)> Converse(
        ProgramRunner runner, string[] arguments, (string After, string? Input)[] conversation)
    {
        var input = new Pipe();
        await using ProgramRun run = runner.Start(new ProgramInput { Arguments = arguments, StandardInputStream = input.Reader.AsStream() });
        IAsyncEnumerator<ProgramOutput> parts = run.Output.GetAsyncEnumerator();
        string output = await Converse(
            conversation,
            async () => await parts.MoveNextAsync() ? parts.Current.Text : null,
            async text => await input.Writer.WriteAsync(Encoding.UTF8.GetBytes(text)),
            async () => await input.Writer.CompleteAsync()).WaitAsync(Patience);
        return (output, await run.Result);
    }

    private static async Task<string> ConverseNatively(string command, (string After, string? Input)[] conversation)
    {
        using Process process = NativeProgram.Start(PathOf(Fixed), command);
        try
        {
            var buffer = new char[1000];
            return await Converse(
                conversation,
                async () => await process.StandardOutput.ReadAsync(buffer) is > 0 and int count ? new string(buffer, 0, count) : null,
                async text =>
                {
                    await process.StandardInput.WriteAsync(text);
                    await process.StandardInput.FlushAsync();
                },
                () =>
                {
                    process.StandardInput.Close();
                    return Task.CompletedTask;
                }).WaitAsync(Patience);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    /// <summary>Writes each input after its text has come, and reads to the end.</summary>
    private static async Task<string> Converse(
        (string After, string? Input)[] conversation, Func<Task<string?>> read, Func<string, Task> write, Func<Task> end)
    {
        var output = new StringBuilder();
        int position = 0;
        foreach ((string after, string? input) in conversation)
        {
            int found;
            while ((found = output.ToString().IndexOf(after, position, StringComparison.Ordinal)) < 0)
            {
                output.Append(await read() ?? throw new AssertionException($"The program ended before it wrote '{after}': {output}"));
            }

            position = found + after.Length;
            await Task.Delay(Pause);
            await (input is null ? end() : write(input));
        }

        while (await read() is { } more)
        {
            output.Append(more);
        }

        return output.ToString();
    }
}
