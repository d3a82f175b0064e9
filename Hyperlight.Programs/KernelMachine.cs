using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Programs;

/// <summary>A sandbox of the kernel with a mapped image. One program runs in it at a time.</summary>
internal sealed class KernelMachine : IDisposable
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

    /// <summary>As many pages of a trial run the kernel remembers.</summary>
    private const int MostWorkingSetPages = 4096;

    /// <summary>How long a thread may run while others are ready.</summary>
    private static readonly TimeSpan TimeSlice = TimeSpan.FromMilliseconds(4);

    private static readonly Lazy<GuestBinary> Kernel =
        new(static () => GuestBinary.FromResource(typeof(KernelMachine).Assembly, "linux.elf"));

    private readonly string _name;
    private RunServices? _run;

    /// <param name="template">What the kernel is for.</param>
    /// <param name="image">The image of the template, which the caller keeps in use as long as this object exists.</param>
    /// <param name="cancellationToken">Ends the creation.</param>
    public KernelMachine(ProgramTemplate template, ProgramImageFile image, CancellationToken cancellationToken)
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
                RandomSeed = template.Seed,
            })
            .WithHostFunction("ProgramWrite", ValueTask<int> (int stream, byte[] bytes, CancellationToken token) => Run.Streams.WriteAsync(stream, bytes, token))
            .WithHostFunction("ProgramRead", ValueTask<ReadOnlyMemory<byte>> (int size, bool waits, CancellationToken token) => Run.Input.ReadAsync(size, waits, token))
            .WithHostFunction("ProgramInputFile", byte[] (int index) => Run.Files.InputFile(index))
            .WithHostFunction("ProgramInputBytes", ReadOnlyMemory<byte> (int index, long offset, int size) => Run.Files.InputBytes(index, offset, size))
            .WithHostFunction("ProgramOutputFile", int (ReadOnlySpan<byte> path, int mode, long size) => Run.Files.OutputFile(path, size))
            .WithHostFunction("ProgramOutputBytes", int (ReadOnlySpan<byte> bytes) => Run.Files.OutputBytes(bytes))
            .WithHostFunction("ProgramDirectory", ReadOnlyMemory<byte> (int step, ReadOnlySpan<byte> path, long offset) => Run.Directories.Answer(step, path, offset))
            .WithHostFunction("ProgramChange", byte[] (int step, ReadOnlySpan<byte> path, ReadOnlySpan<byte> bytes, long value) => Run.Directories.Change(step, path, bytes, value))
            .WithHostFunction("ProgramCall", ValueTask<ReadOnlyMemory<byte>> (int step, byte[] bytes, CancellationToken token) => Run.Tools.AnswerAsync(step, bytes, token))
            .WithHostFunction("ProgramSocket", ValueTask<ReadOnlyMemory<byte>> (int step, int handle, long value, byte[] bytes, CancellationToken token) =>
                Run.Network.AnswerAsync(step, handle, value, bytes, token))
            .WithHostFunction("ProgramClock", long (bool isMonotonic) => Run.Streams.Clock(isMonotonic))
            .WithHostFunction("ProgramWait", ValueTask<ReadOnlyMemory<byte>> (long nanoseconds, bool forInput, byte[] known, CancellationToken token) =>
                Run.Wait.AnswerAsync(nanoseconds, forInput, known, token));
        Sandbox = builder.Build(cancellationToken);
        try
        {
            // The file stays mapped: each run reads its pages where they are, and snapshots refer to those that the kernel has mapped.
            Sandbox.MapRetainedFile(image.Path, ImageAddress, $"image {image.Digest.AsSpan(0, LabelDigits)}");
        }
        catch
        {
            Sandbox.Dispose();
            throw;
        }
    }

    /// <summary>The sandbox.</summary>
    public MultiUseSandbox Sandbox { get; }

    private RunServices Run => _run ?? throw new GuestProtocolException("The kernel of a program calls the host although no program runs.");

    /// <summary>Has the kernel read the image.</summary>
    /// <exception cref="ProgramImageException">The image is damaged.</exception>
    public void Load(ProgramImage image, ulong size, CancellationToken cancellationToken)
    {
        try
        {
            Sandbox.Call("LoadProgram", [ImageAddress, size], cancellationToken);
        }
        catch (GuestErrorException exception)
        {
            throw new ProgramImageException(image.Name, ProgramImageException.Printable(exception.GuestMessage), null, exception);
        }
    }

    /// <summary>Runs the program from the state that the sandbox has, and collects its files.</summary>
    /// <param name="sandbox">The sandbox, or a lease of it.</param>
    /// <param name="function">The kernel's function.</param>
    /// <param name="request">What the program starts with.</param>
    /// <param name="run">What the kernel calls.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public async Task<ProgramReport> ExecuteAsync(
        ISandbox sandbox, string function, byte[] request, RunServices run, CancellationToken cancellationToken)
    {
        _run = run;
        if (Sandbox.HasTimer)
        {
            ProgramRequest.SetTimer(request, TimeSlice);
        }

        try
        {
            byte[] report = await StartAsync(sandbox, function, request, run.Budget, cancellationToken).ConfigureAwait(false);
            RunFiles files = run.Files;
            foreach (string directory in files.Directories)
            {
                files.Collect(directory);
                files.AddTooLong(await CallAsync<uint>(sandbox, "CollectFiles", [directory], run.Budget, cancellationToken).ConfigureAwait(false));
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

    /// <summary>What the program has used in its trial run: the pages, in the order of their addresses.</summary>
    /// <param name="limits">What the program may take for its warm-up, it may take for this: it can have taken over the kernel.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="GuestProtocolException">The kernel does not say.</exception>
    public async Task<byte[]> WorkingSetAsync(ProgramLimits limits, CancellationToken cancellationToken)
    {
        byte[] pages = await PrepareAsync<byte[]>("WorkingSet", [], limits, cancellationToken).ConfigureAwait(false);
        if (pages.Length % sizeof(ulong) != 0 || pages.Length > MostWorkingSetPages * sizeof(ulong))
        {
            throw new GuestProtocolException(
                $"The kernel of a program is wrong: {pages.Length} bytes are no list of at most {MostWorkingSetPages} pages.");
        }

        MemoryMarshal.Cast<byte, ulong>(pages.AsSpan()).Sort();
        return pages;
    }

    /// <summary>Has the kernel prepare runs for these pages. The sandbox has the state of the checkpoint.</summary>
    /// <param name="workingSet">The pages.</param>
    /// <param name="limits">See <see cref="WorkingSetAsync"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="GuestProtocolException">The kernel does not do it.</exception>
    public Task KeepWorkingSetAsync(byte[] workingSet, ProgramLimits limits, CancellationToken cancellationToken) =>
        PrepareAsync<uint>("KeepWorkingSet", [workingSet], limits, cancellationToken);

    public void Dispose() => Sandbox.Dispose();

    private async Task<TResult> PrepareAsync<TResult>(
        string function, GuestValue[] arguments, ProgramLimits limits, CancellationToken cancellationToken)
    {
        var budget = RunBudget.OfWarmUp(limits);
        try
        {
            return await CallAsync<TResult>(Sandbox, function, arguments, budget, cancellationToken).ConfigureAwait(false);
        }
        catch (BudgetExceededException exception) when (budget.EndBy(exception) is not null)
        {
            throw new GuestProtocolException(
                $"The kernel of a program did not answer: its function {function} took longer than {nameof(ProgramLimits)}.{nameof(ProgramLimits.WarmUpTime)}, {limits.WarmUpTime}. Set a longer time, or no {nameof(ProgramTemplate.TrialInput)}.",
                exception);
        }
        catch (GuestErrorException exception)
        {
            throw new GuestProtocolException(
                $"The kernel of a program is wrong: its function {function} failed: {ProgramImageException.Printable(exception.GuestMessage)}.", exception);
        }
    }

    private async Task<byte[]> StartAsync(
        ISandbox sandbox, string function, byte[] request, RunBudget budget, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync<byte[]>(sandbox, function, [request], budget, cancellationToken).ConfigureAwait(false);
        }
        catch (GuestErrorException exception)
        {
            // This is what the kernel returns if a program cannot be started.
            throw new ProgramImageException(_name, ProgramImageException.Printable(exception.GuestMessage), null, exception);
        }
    }

    private static async Task<TResult> CallAsync<TResult>(
        ISandbox sandbox, string function, GuestValue[] arguments, RunBudget budget, CancellationToken cancellationToken)
    {
        try
        {
            return await sandbox.CallAsync<TResult>(function, arguments, budget.BeginCall(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            budget.EndCall(sandbox.LastCall);
        }
    }

    private static ulong ScratchSize(long memory) =>
        GuestPage.RoundUp((ulong)memory) + ((ulong)memory / 512 / GuestPage.Size * GuestPage.Size) + KernelMemory;
}
