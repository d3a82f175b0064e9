using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>A sandbox of the kernel with a loaded program, and the snapshot from which each run starts.</summary>
internal sealed class KernelSandbox : IDisposable
{
    /// <summary>The largest number of bytes of a stream in one call.</summary>
    public const int MostBytes = 0x4000;

    // The kernel's own heap is below the addresses of programs; its buffers hold a call with all arguments.
    private const ulong HeapSize = 0x10_0000;
    private const int BufferSize = 0x4_0000;
    private const ulong KernelMemory = 0x40_0000;

    /// <summary>Where the kernel finds the image.</summary>
    private const ulong ImageAddress = 0x1_0000_0000;

    /// <summary>How much of an image's digest its mapping has in its label: as much as there is room for.</summary>
    private const int LabelDigits = 56;

    private static readonly TimeSpan ShortestTime = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a thread may run while others are ready.</summary>
    private static readonly TimeSpan TimeSlice = TimeSpan.FromMilliseconds(4);

    private static readonly Lazy<GuestBinary> Kernel =
        new(static () => GuestBinary.FromResource(typeof(KernelSandbox).Assembly, "linux.elf"));

    private readonly MultiUseSandbox _sandbox;
    private readonly ImageInUse _image;
    private readonly string _name;
    private Snapshot _snapshot;
    private string _function = "RunProgram";
    private RunServices? _run;

    /// <exception cref="ProgramImageException">The kernel does not run the executable.</exception>
    public KernelSandbox(ProgramTemplate template, CancellationToken cancellationToken)
    {
        _name = template.Image.Executable is null ? ProgramRequest.ExecutableOf(template) : template.Image.Name;
        SandboxBuilder builder = template.CreateBuilder()
            .WithGuest(Kernel.Value)
            .WithConfiguration(new SandboxConfiguration
            {
                HeapSize = HeapSize,
                InputBufferSize = BufferSize,
                OutputBufferSize = BufferSize,
                ScratchSize = ScratchSize(template.Limits.Memory),
                GuestTimer = true,
                IsGuestTimerOptional = true,
            })
            .WithHostFunction("ProgramWrite", ValueTask<int> (int stream, byte[] bytes, CancellationToken token) => Run.Streams.WriteAsync(stream, bytes, token))
            .WithHostFunction("ProgramRead", ValueTask<ReadOnlyMemory<byte>> (int size, CancellationToken token) => Run.Streams.ReadAsync(size, token))
            .WithHostFunction("ProgramInputFile", byte[] (int index) => Run.Files.InputFile(index))
            .WithHostFunction("ProgramInputBytes", ReadOnlyMemory<byte> (int index, long offset, int size) => Run.Files.InputBytes(index, offset, size))
            .WithHostFunction("ProgramOutputFile", int (ReadOnlySpan<byte> path, int mode, long size) => Run.Files.OutputFile(path, size))
            .WithHostFunction("ProgramOutputBytes", int (ReadOnlySpan<byte> bytes) => Run.Files.OutputBytes(bytes))
            .WithHostFunction("ProgramDirectory", ReadOnlyMemory<byte> (int step, ReadOnlySpan<byte> path, long offset) => Run.Directories.Answer(step, path, offset))
            .WithHostFunction("ProgramChange", byte[] (int step, ReadOnlySpan<byte> path, ReadOnlySpan<byte> bytes, long value) => Run.Directories.Change(step, path, bytes, value))
            .WithHostFunction("ProgramCall", ValueTask<ReadOnlyMemory<byte>> (int step, byte[] bytes, CancellationToken token) => Run.Tools.AnswerAsync(step, bytes, token))
            .WithHostFunction("ProgramClock", long (bool isMonotonic) => Run.Streams.Clock(isMonotonic))
            .WithHostFunction("ProgramSleep", Task (long nanoseconds, CancellationToken token) => ProgramStreams.Sleep(nanoseconds, token));
        _sandbox = builder.Build(cancellationToken);
        ImageInUse? image = null;
        try
        {
            _image = image = ImageInUse.Open(template.Image, cancellationToken);
            Load(template.Image, cancellationToken);
            _snapshot = _sandbox.TakeSnapshot();
        }
        catch
        {
            _sandbox.Dispose();
            image?.Dispose();
            throw;
        }
    }

    private RunServices Run => _run ?? throw new InvalidOperationException("No program runs.");

    /// <summary>Runs the program to its checkpoint, from which later runs continue, unless it ends before.</summary>
    public async Task<ProgramReport> WarmUpAsync(byte[] request, RunServices run, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        ProgramReport report = await ExecuteAsync(request, run, timeLimit, cancellationToken).ConfigureAwait(false);
        if (report.IsAtCheckpoint)
        {
            Snapshot former = _snapshot;
            _snapshot = _sandbox.TakeSnapshot();
            former.Dispose();
            _function = "ContinueProgram";
        }

        return report;
    }

    /// <summary>Runs the program from the snapshot to its end.</summary>
    public async Task<ProgramReport> RunAsync(byte[] request, RunServices run, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        ProgramReport report = await ExecuteAsync(request, run, timeLimit, cancellationToken).ConfigureAwait(false);
        return report.IsAtCheckpoint
            ? throw new GuestProtocolException("The kernel of a program reports a checkpoint that was not asked for.")
            : report;
    }

    private async Task<ProgramReport> ExecuteAsync(byte[] request, RunServices run, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        _sandbox.Restore(_snapshot);
        _run = run;
        if (_sandbox.HasTimer)
        {
            ProgramRequest.SetTimer(request, TimeSlice);
        }

        try
        {
            byte[] report = await RunAsync(request, timeLimit, cancellationToken).ConfigureAwait(false);
            RunFiles files = run.Files;
            foreach (string directory in files.Directories)
            {
                files.Collect(directory);
                files.AddTooLong(
                    await _sandbox.CallAsync<uint>("CollectFiles", [directory], Remaining(timeLimit, start), cancellationToken).ConfigureAwait(false));
            }

            files.Collect(null);
            return (files.Problem ?? run.Tools.Problem) is { } problem
                ? throw new GuestProtocolException($"The kernel of a program is wrong: {problem}.")
                : ProgramReport.Parse(report);
        }
        finally
        {
            _run = null;
        }
    }

    public void Dispose()
    {
        _sandbox.Dispose();
        _snapshot.Dispose();
        _image.Dispose();
    }

    private async Task<byte[]> RunAsync(byte[] request, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        try
        {
            return await _sandbox.CallAsync<byte[]>(_function, [request], timeLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestErrorException exception)
        {
            // This is what the kernel returns if a program cannot be started.
            throw new ProgramImageException(_name, ProgramImageException.Printable(exception.GuestMessage), null, exception);
        }
    }

    /// <summary>What a run has left of its time: a little, so that the sandbox finds out that it has none.</summary>
    private static TimeSpan Remaining(TimeSpan timeLimit, long start)
    {
        if (timeLimit == Timeout.InfiniteTimeSpan)
        {
            return timeLimit;
        }

        TimeSpan remaining = timeLimit - Stopwatch.GetElapsedTime(start);
        return remaining > ShortestTime ? remaining : ShortestTime;
    }

    private static ulong ScratchSize(long memory) =>
        GuestPage.RoundUp((ulong)memory) + ((ulong)memory / 512 / GuestPage.Size * GuestPage.Size) + KernelMemory;

    /// <summary>
    /// The file stays mapped: each run reads its pages where they are, and the snapshot refers to those that the kernel has mapped.
    /// </summary>
    private void Load(ProgramImage image, CancellationToken cancellationToken)
    {
        ProgramImageFile file = _image.File;
        _sandbox.MapRetainedFile(file.Path, ImageAddress, $"image {file.Digest.AsSpan(0, LabelDigits)}");
        try
        {
            _sandbox.Call("LoadProgram", [ImageAddress, (ulong)file.Size], cancellationToken);
        }
        catch (GuestErrorException exception)
        {
            throw new ProgramImageException(image.Name, ProgramImageException.Printable(exception.GuestMessage), null, exception);
        }
    }
}
