using System.IO.Pipelines;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Input and output while a program runs.</summary>
internal sealed class StreamTests(TestTarget target) : ProgramTest(target)
{
    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed, new ProgramLimits { Output = 100_000 });

    [TearDown]
    public async Task The_next_run_is_clean() =>
        Assert.That((await Run(_runner, "", "hello")).StandardOutput, Is.EqualTo("hello\n"));

    [Test]
    public async Task A_program_answers_while_it_runs()
    {
        var toProgram = new Pipe();
        await using ProgramRun run = _runner.Start(new ProgramInput { Arguments = ["echo"], StandardInputStream = toProgram.Reader.AsStream() });
        IAsyncEnumerator<ProgramOutput> output = run.Output.GetAsyncEnumerator();
        for (int i = 0; i < 3; i++)
        {
            await toProgram.Writer.WriteAsync(Encoding.UTF8.GetBytes($"line {i}"));
            Assert.That(await ReadAsync(output, 6), Is.EqualTo($"line {i}"), "before the input has ended");
        }

        await toProgram.Writer.CompleteAsync();

        Assert.That(await ReadAsync(output, 9), Is.EqualTo("bytes 18\n"));
        Assert.That(await output.MoveNextAsync(), Is.False);
        ProgramResult result = await run.Result;
        Assert.That((result.End, result.ExitCode, result.StandardOutput), Is.EqualTo((ProgramEnd.Exited, 0, "")));
    }

    [Test]
    public async Task Bytes_precede_the_stream()
    {
        ProgramResult result = await _runner.RunAsync(new ProgramInput
        {
            Arguments = ["echo"],
            StandardInput = "first "u8.ToArray(),
            StandardInputStream = new MemoryStream("second"u8.ToArray()),
        });

        Assert.That(result.StandardOutput, Is.EqualTo("first secondbytes 12\n"));
    }

    [Test]
    public async Task Output_goes_to_a_stream()
    {
        using var stream = new MemoryStream();
        string text = string.Concat(Enumerable.Range(0, 5000).Select(static number => $"{number} "));

        ProgramResult result = await _runner.RunAsync(new ProgramInput
        {
            Arguments = ["echo"],
            StandardInput = Encoding.UTF8.GetBytes(text),
            StandardOutputStream = stream,
        });

        Assert.That(Encoding.UTF8.GetString(stream.ToArray()), Is.EqualTo($"{text}bytes {text.Length}\n"));
        Assert.That(result.StandardOutput, Is.Empty);
    }

    [Test]
    public async Task The_limit_is_that_of_all_output()
    {
        using var stream = new MemoryStream();

        ProgramResult result = await _runner.RunAsync(new ProgramInput { Arguments = ["flood"], StandardOutputStream = stream });

        Assert.That((result.End, stream.Length), Is.EqualTo((ProgramEnd.OutputLimit, 100_000L)));
    }

    [Test]
    public async Task A_program_that_nothing_reads_from_waits()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Output = 1_000_000 });
        await using ProgramRun run = runner.Start(new ProgramInput { Arguments = ["flood"] });
        await Task.Delay(100);
        Assert.That(run.Result.IsCompleted, Is.False, "there is more output than is kept for a reader");
        long total = 0;

        await foreach (ProgramOutput output in run.Output)
        {
            total += output.Bytes.Length;
        }

        Assert.That((total, (await run.Result).End), Is.EqualTo((1_000_000L, ProgramEnd.OutputLimit)));
    }

    [Test]
    public async Task Disposing_a_run_ends_the_program()
    {
        ProgramRun run = _runner.Start(new ProgramInput { Arguments = ["loop"] });
        await run.DisposeAsync();

        await Assert.ThatAsync(() => run.Result, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_program_that_waits_for_input_ends_at_its_time_limit()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Time = TimeSpan.FromMilliseconds(200) });

        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["echo"], StandardInputStream = new Pipe().Reader.AsStream() });

        Assert.That(result.End, Is.EqualTo(ProgramEnd.TimeLimit));
    }

    [Test]
    public async Task A_token_ends_a_program_that_waits_for_input()
    {
        using var source = new CancellationTokenSource();
        using var input = new SilentStream();
        Task<ProgramResult> run = _runner.RunAsync(new ProgramInput { Arguments = ["echo"], StandardInputStream = input }, source.Token);
        await input.Reading.WaitAsync(TimeSpan.FromMinutes(2));

        await source.CancelAsync();

        OperationCanceledException error = (await Assert.ThrowsAsync<OperationCanceledException>(() => run))!;
        Assert.That(error.CancellationToken, Is.EqualTo(source.Token));
    }

    [Test]
    public async Task A_stream_that_fails_ends_the_run_with_its_error([Values] bool isInput)
    {
        var input = new ProgramInput { Arguments = ["echo"], StandardInput = "text"u8.ToArray() };

        ProgramStreamException error = (await Assert.ThrowsAsync<ProgramStreamException>(() => _runner.RunAsync(
            isInput ? input with { StandardInputStream = new FailingStream() } : input with { StandardOutputStream = new FailingStream() })))!;

        Assert.That(error.InnerException, Is.TypeOf<IOException>());
        Assert.That(error.Message, Is.EqualTo($"The program was ended, because its standard {(isInput ? "input cannot be read" : "output cannot be written")}: broken"));
    }

    /// <summary>Reads standard output. What the program says on its standard error is left out.</summary>
    private static async Task<string> ReadAsync(IAsyncEnumerator<ProgramOutput> output, int size)
    {
        string text = "";
        while (text.Length < size && await output.MoveNextAsync())
        {
            text += output.Current.IsError ? "" : output.Current.Text;
        }

        return text;
    }

    /// <summary>A stream from which nothing comes.</summary>
    private sealed class SilentStream : MemoryStream
    {
        private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when something is read.</summary>
        public Task Reading => _reading.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _reading.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }

    private sealed class FailingStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken");

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken");
    }
}
