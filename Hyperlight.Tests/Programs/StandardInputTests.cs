using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Hyperlight.Programs;
using Hyperlight.Programs.Network;

namespace Hyperlight.Tests.Programs;

/// <summary>The host functions for standard input and for waiting, as a kernel calls them.</summary>
internal sealed class StandardInputTests
{
    private CancellationTokenSource _end = null!;
    private StreamFailure _failure = null!;
    private HostNetwork _network = null!;

    [SetUp]
    public void CreateRun()
    {
        _end = new CancellationTokenSource();
        _failure = new StreamFailure(_end);
        _network = new HostNetwork(null);
    }

    [TearDown]
    public async Task EndRun()
    {
        await _network.DisposeAsync();
        _end.Dispose();
    }

    [Test]
    public async Task The_end_of_bytes_is_told_with_the_last_of_them([Values] bool waits)
    {
        await using StandardInput input = Create("hello", null);

        Assert.That(input.Look(), Is.EqualTo(SocketEvents.Input | SocketEvents.HangUp));
        Assert.That(await ReadAsync(input, 2, waits), Is.EqualTo((SocketEvents.Input | SocketEvents.HangUp, "he")));
        Assert.That(await ReadAsync(input, 100, waits), Is.EqualTo((SocketEvents.HangUp, "llo")));
        Assert.That(await ReadAsync(input, 100, waits), Is.EqualTo((SocketEvents.HangUp, "")));
    }

    [Test]
    public async Task Without_input_there_is_its_end()
    {
        await using StandardInput input = Create("", null);

        Assert.That(await ReadAsync(input, 100, waits: false), Is.EqualTo((SocketEvents.HangUp, "")));
        Assert.That(await WaitAsync(input, long.MaxValue), Is.EqualTo(SocketEvents.HangUp));
    }

    [Test]
    public async Task A_stream_is_not_read_before_it_is_asked_for_and_not_further()
    {
        var stream = new MemoryStream("0123456789"u8.ToArray());
        await using StandardInput input = Create("first", stream);

        Assert.That(await ReadAsync(input, 100, waits: true), Is.EqualTo((SocketEvents.None, "first")));
        Assert.That(stream.Position, Is.Zero);
        Assert.That(await ReadAsync(input, 3, waits: true), Is.EqualTo((SocketEvents.None, "012")));
        Assert.That(stream.Position, Is.EqualTo(3));
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.Input));
        Assert.That(await ReadAsync(input, 3, waits: true), Is.EqualTo((SocketEvents.Input, "345")));
        Assert.That(await ReadAsync(input, 100, waits: true), Is.EqualTo((SocketEvents.None, "6789")));
        Assert.That(await ReadAsync(input, 100, waits: true), Is.EqualTo((SocketEvents.HangUp, "")));
    }

    [Test]
    public async Task A_stream_that_has_nothing_yet_keeps_nothing_but_a_read_that_waits()
    {
        var pipe = new Pipe();
        await using StandardInput input = Create("", pipe.Reader.AsStream());

        Assert.That(await ReadAsync(input, 100, waits: false), Is.EqualTo((SocketEvents.None, "")));
        Assert.That(await WaitAsync(input, 1_000_000), Is.EqualTo(SocketEvents.None));
        Task<(SocketEvents, string)> read = ReadAsync(input, 2, waits: true);
        Assert.That(read.IsCompleted, Is.False);
        await pipe.Writer.WriteAsync("text"u8.ToArray());

        Assert.That(await read.WaitAsync(TestTime.Patience), Is.EqualTo((SocketEvents.Input, "te")), "one read of the stream was made, with the first size");
        Assert.That(await WaitAsync(input, long.MaxValue), Is.EqualTo(SocketEvents.Input));
        Assert.That(await ReadAsync(input, 100, waits: false), Is.EqualTo((SocketEvents.None, "xt")));
    }

    [Test]
    public async Task Input_ends_a_wait_at_once()
    {
        var pipe = new Pipe();
        await using StandardInput input = Create("", pipe.Reader.AsStream());
        Task<SocketEvents> wait = WaitAsync(input, long.MaxValue);
        Assert.That(wait.IsCompleted, Is.False);

        await pipe.Writer.WriteAsync("text"u8.ToArray());
        Assert.That(await wait.WaitAsync(TestTime.Patience), Is.EqualTo(SocketEvents.Input));
        await ReadAsync(input, 100, waits: false);
        wait = WaitAsync(input, long.MaxValue);
        await pipe.Writer.CompleteAsync();

        Assert.That(await wait.WaitAsync(TestTime.Patience), Is.EqualTo(SocketEvents.HangUp));
    }

    [Test]
    public async Task A_wait_is_not_shorter_than_asked_for([Values] bool forInput)
    {
        await using StandardInput input = Create("", new Pipe().Reader.AsStream());
        long start = Stopwatch.GetTimestamp();

        Assert.That(await WaitAsync(input, 20_000_000, forInput), Is.EqualTo(SocketEvents.None));

        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(20)));
    }

    [Test]
    public async Task A_read_of_the_stream_goes_on_when_a_call_is_ended([Values] bool isRead)
    {
        var pipe = new Pipe();
        using var call = new CancellationTokenSource();
        await using StandardInput input = Create("", pipe.Reader.AsStream());
        Task wait = isRead
            ? input.ReadAsync(100, waits: true, call.Token).AsTask()
            : new HostWait(input, _network).AnswerAsync(long.MaxValue, forInput: true, [], call.Token).AsTask();
        await call.CancelAsync();
        await Assert.ThatAsync(() => wait, Throws.InstanceOf<OperationCanceledException>());

        await pipe.Writer.WriteAsync("text"u8.ToArray());

        Assert.That(await ReadAsync(input, 100, waits: true).WaitAsync(TestTime.Patience), Is.EqualTo((SocketEvents.None, "text")));
    }

    [Test]
    public async Task A_failure_is_that_of_the_program_that_asks_for_input([Values] bool waits)
    {
        var pipe = new Pipe();
        await using StandardInput input = Create("", pipe.Reader.AsStream());
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.None));
        Task changed = _network.Changes.Next();
        await pipe.Writer.CompleteAsync(new IOException("broken"));
        await changed.WaitAsync(TestTime.Patience);
        Assert.That((_failure.Exception, _end.IsCancellationRequested), Is.EqualTo(((ProgramStreamException?)null, false)));

        Assert.That(await ReadAsync(input, 100, waits), Is.EqualTo((SocketEvents.HangUp, "")));

        Assert.That(_failure.Exception!.InnerException!.Message, Is.EqualTo("broken"));
        Assert.That(_end.IsCancellationRequested, Is.True);
    }

    [Test]
    public async Task A_read_in_progress_ends_with_the_run()
    {
        var pipe = new Pipe();
        using Stream stream = pipe.Reader.AsStream();
        StandardInput input = Create("", stream);
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.None));
        await input.DisposeAsync();

        await pipe.Writer.WriteAsync("text"u8.ToArray());

        Assert.That(await stream.ReadAsync(new byte[100]), Is.EqualTo(4), "what comes after the run is not taken by it");
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.HangUp));
        Assert.That(_failure.Exception, Is.Null);
    }

    [Test]
    public async Task A_stream_that_cannot_be_cancelled_does_not_hold_up_the_end()
    {
        var stream = new StubbornStream();
        await using (StandardInput input = Create("", stream))
        {
            Assert.That(input.Look(), Is.EqualTo(SocketEvents.None));
        }

        stream.End();
        Assert.That(_failure.Exception, Is.Null);
    }

    /// <summary>The stream has registered callbacks for its cancellation.</summary>
    [Test]
    public async Task A_stream_that_fails_or_hangs_when_it_is_cancelled_changes_nothing_of_the_run([Values] bool hangs)
    {
        using var blocked = new ManualResetEventSlim();
        var stream = new StubbornStream { OnCancel = hangs ? () => blocked.Wait(TestTime.Patience) : static () => throw new InvalidOperationException() };
        StandardInput input = Create("", stream);
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.None));

        await input.DisposeAsync().AsTask().WaitAsync(TestTime.Patience / 2);
        await input.DisposeAsync();

        blocked.Set();
        stream.End();
        Assert.That(_failure.Exception, Is.Null);
    }

    /// <summary>Nobody waits for the cancellation any more when it fails.</summary>
    [Test]
    public async Task A_stream_that_fails_after_the_run_has_ended_fails_nobody()
    {
        using var blocked = new ManualResetEventSlim();
        int unobserved = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, args) =>
            unobserved += args.Exception.Flatten().InnerExceptions.Any(static exception => exception is LateException) ? 1 : 0;
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            WeakReference thrown = await FailLate(blocked);

            // The exception is gone when everything that could report it is.
            long start = Stopwatch.GetTimestamp();
            while (thrown.IsAlive && Stopwatch.GetElapsedTime(start) < TestTime.Patience)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.That((thrown.IsAlive, unobserved), Is.EqualTo((false, 0)));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }
    }

    [TestCase(-1), TestCase(3), TestCase(int.MaxValue)]
    public async Task A_stream_that_says_that_it_has_read_what_it_cannot_have_is_a_failure(int count)
    {
        var stream = new StubbornStream();
        await using StandardInput input = Create("", stream);
        Task<(SocketEvents, string)> read = ReadAsync(input, 2, waits: true);
        stream.End(count);

        Assert.That(await read.WaitAsync(TestTime.Patience), Is.EqualTo((SocketEvents.HangUp, "")));
        Assert.That(_failure.Exception!.InnerException!.Message, Is.EqualTo($"The stream says that it has read {count} bytes, of at most 2."));
    }

    [TestCase(int.MinValue), TestCase(-1), TestCase(0), TestCase(int.MaxValue)]
    public async Task A_hostile_kernel_gets_no_more_than_fits(int size)
    {
        await using StandardInput input = Create(new string('x', 100_000), null);

        (_, string text) = await ReadAsync(input, size, waits: true);

        Assert.That(text, Has.Length.InRange(0, KernelMachine.MostBytes));
    }

    [TestCase(long.MinValue, 0), TestCase(-1, 7), TestCase(long.MaxValue, 8), TestCase(long.MaxValue, 100_000)]
    public async Task A_hostile_kernel_waits_for_no_connections_that_it_cannot_have(long nanoseconds, int size)
    {
        await using StandardInput input = Create("", new Pipe().Reader.AsStream());

        ReadOnlyMemory<byte> answer = await new HostWait(input, _network).AnswerAsync(nanoseconds, forInput: true, new byte[size], CancellationToken.None)
            .AsTask().WaitAsync(TestTime.Patience);

        Assert.That(answer.Length, Is.EqualTo(4 + (size / 8 * 4)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> FailLate(ManualResetEventSlim blocked)
    {
        var thrown = new TaskCompletionSource<WeakReference>(TaskCreationOptions.RunContinuationsAsynchronously);
        var stream = new StubbornStream
        {
            OnCancel = () =>
            {
                blocked.Wait(TestTime.Patience);
                var exception = new LateException();
                thrown.SetResult(new WeakReference(exception));
                throw exception;
            },
        };
        StandardInput input = Create("", stream);
        Assert.That(input.Look(), Is.EqualTo(SocketEvents.None));
        await input.DisposeAsync();
        blocked.Set();
        stream.End();
        return await thrown.Task;
    }

    private StandardInput Create(string bytes, Stream? stream) =>
        new(Encoding.UTF8.GetBytes(bytes), stream, _network.Changes, _failure) { CloseTime = stream is StubbornStream ? TimeSpan.FromMilliseconds(10) : TestTime.Patience };

    private async Task<SocketEvents> WaitAsync(StandardInput input, long nanoseconds, bool forInput = true)
    {
        ReadOnlyMemory<byte> answer = await new HostWait(input, _network).AnswerAsync(nanoseconds, forInput, [], CancellationToken.None);
        Assert.That(answer.Length, Is.EqualTo(4));
        return (SocketEvents)BinaryPrimitives.ReadInt32LittleEndian(answer.Span);
    }

    private static async Task<(SocketEvents Events, string Text)> ReadAsync(StandardInput input, int size, bool waits)
    {
        ReadOnlyMemory<byte> answer = await input.ReadAsync(size, waits, CancellationToken.None);
        return ((SocketEvents)answer.Span[0], Encoding.UTF8.GetString(answer.Span[1..]));
    }

    private sealed class LateException : Exception;

    /// <summary>A stream whose reads do not end when they are cancelled.</summary>
    private sealed class StubbornStream : MemoryStream
    {
        private readonly TaskCompletionSource<int> _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Action? OnCancel { get; init; }

        public void End(int count = 0) => _read.SetResult(count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (OnCancel is not null)
            {
                cancellationToken.Register(OnCancel);
            }

            return new(_read.Task);
        }
    }
}
