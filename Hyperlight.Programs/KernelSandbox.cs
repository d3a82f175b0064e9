using Hyperlight.Abstractions;

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

    /// <summary>How long a thread may run while others are ready.</summary>
    private static readonly TimeSpan TimeSlice = TimeSpan.FromMilliseconds(4);

    private static readonly Lazy<GuestBinary> Kernel =
        new(static () => GuestBinary.FromResource(typeof(KernelSandbox).Assembly, "linux.elf"));

    private readonly MultiUseSandbox _sandbox;
    private readonly Snapshot _snapshot;
    private readonly string _name;
    private ProgramStreams? _streams;
    private RunFiles? _files;

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
            .WithHostFunction("ProgramWrite", ValueTask<int> (int stream, byte[] bytes, CancellationToken token) => Streams.WriteAsync(stream, bytes, token))
            .WithHostFunction("ProgramRead", ValueTask<ReadOnlyMemory<byte>> (int size, CancellationToken token) => Streams.ReadAsync(size, token))
            .WithHostFunction("ProgramInputFile", byte[] (int index) => Files.InputFile(index))
            .WithHostFunction("ProgramInputBytes", ReadOnlyMemory<byte> (int index, long offset, int size) => Files.InputBytes(index, offset, size))
            .WithHostFunction("ProgramOutputFile", int (ReadOnlySpan<byte> path, int mode, long size) => Files.OutputFile(path, size))
            .WithHostFunction("ProgramOutputBytes", int (ReadOnlySpan<byte> bytes) => Files.OutputBytes(bytes))
            .WithHostFunction("ProgramClock", long (bool isMonotonic) => Streams.Clock(isMonotonic))
            .WithHostFunction("ProgramSleep", Task (long nanoseconds, CancellationToken token) => ProgramStreams.Sleep(nanoseconds, token));
        _sandbox = builder.Build(cancellationToken);
        try
        {
            Load(template.Image, cancellationToken);
            _snapshot = _sandbox.TakeSnapshot();
        }
        catch
        {
            _sandbox.Dispose();
            throw;
        }
    }

    private ProgramStreams Streams => _streams ?? throw new InvalidOperationException("No program runs.");

    private RunFiles Files => _files ?? throw new InvalidOperationException("No program runs.");

    /// <summary>Runs the program from the snapshot.</summary>
    public async Task<ProgramReport> RunAsync(
        byte[] request, ProgramStreams streams, RunFiles files, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        _sandbox.Restore(_snapshot);
        _streams = streams;
        _files = files;
        if (_sandbox.HasTimer)
        {
            ProgramRequest.SetTimer(request, TimeSlice);
        }

        try
        {
            byte[] report = await RunAsync(request, timeLimit, cancellationToken).ConfigureAwait(false);
            foreach (string directory in files.Directories)
            {
                files.Collect(directory);
                await _sandbox.CallAsync("CollectFiles", [directory], timeLimit, cancellationToken).ConfigureAwait(false);
            }

            files.Collect(null);
            return files.Problem is { } problem
                ? throw new GuestProtocolException($"The kernel of a program is wrong: {problem}.")
                : ProgramReport.Parse(report);
        }
        finally
        {
            _streams = null;
            _files = null;
        }
    }

    public void Dispose()
    {
        _sandbox.Dispose();
        _snapshot.Dispose();
    }

    private async Task<byte[]> RunAsync(byte[] request, TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        try
        {
            return await _sandbox.CallAsync<byte[]>("RunProgram", [request], timeLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestErrorException exception)
        {
            // This is what the kernel returns if a program cannot be started.
            throw new ProgramImageException(_name, ProgramImageException.Printable(exception.GuestMessage), null, exception);
        }
    }

    private static ulong ScratchSize(long memory) =>
        GuestPage.RoundUp((ulong)memory) + ((ulong)memory / 512 / GuestPage.Size * GuestPage.Size) + KernelMemory;

    /// <summary>
    /// The file stays mapped: each run reads its pages where they are, and the snapshot refers to those that the kernel has mapped.
    /// </summary>
    private void Load(ProgramImage image, CancellationToken cancellationToken)
    {
        ProgramImageFile file = image.Build(null, cancellationToken);
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
