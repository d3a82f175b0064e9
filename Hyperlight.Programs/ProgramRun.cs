using System.Threading.Channels;

namespace Hyperlight.Programs;

/// <summary>A run of a program that was started by <see cref="ProgramRunner.Start"/>. Disposing it ends the program.</summary>
public sealed class ProgramRun : IAsyncDisposable
{
    /// <summary>How many parts wait for the application before the program does.</summary>
    private const int Capacity = 64;

    private readonly Channel<ProgramOutput> _output =
        Channel.CreateBounded<ProgramOutput>(new BoundedChannelOptions(Capacity) { SingleWriter = true });

    private readonly CancellationTokenSource _end;
    private int _isDisposed;

    internal ProgramRun(
        Func<Func<ProgramOutput, CancellationToken, ValueTask>, CancellationToken, Task<ProgramResult>> run, CancellationToken cancellationToken)
    {
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Result = RunAsync(run, _end.Token);
    }

    /// <summary>
    /// The program's output as it comes. It must be read: a program that has written 64 parts which were not read waits, and its time goes
    /// on. It ends when the program has ended; <see cref="Result"/> says how. Can be enumerated once.
    /// </summary>
    public IAsyncEnumerable<ProgramOutput> Output => _output.Reader.ReadAllAsync();

    /// <summary>
    /// How the program ended, without output. Its exceptions are those of <see cref="ProgramRunner.RunAsync(ProgramInput, CancellationToken)"/>; <see
    /// cref="OperationCanceledException"/> also if the run was disposed.
    /// </summary>
    public Task<ProgramResult> Result { get; }

    /// <summary>Ends the program if it runs, and waits for its end. Failures of the run are those of <see cref="Result"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _end.CancelAsync().ConfigureAwait(false);
        await ((Task)Result).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task<ProgramResult> RunAsync(
        Func<Func<ProgramOutput, CancellationToken, ValueTask>, CancellationToken, Task<ProgramResult>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run(_output.Writer.WriteAsync, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _output.Writer.Complete();
        }
    }
}
