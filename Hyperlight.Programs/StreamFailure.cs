namespace Hyperlight.Programs;

/// <summary>The first failure of a stream of the application, which ends the run.</summary>
/// <param name="end">Ends the run.</param>
internal sealed class StreamFailure(CancellationTokenSource end)
{
    private ProgramStreamException? _exception;

    /// <summary>The failure; <see langword="null"/> if there is none.</summary>
    public ProgramStreamException? Exception => _exception;

    /// <summary>A stream has failed.</summary>
    /// <param name="problem">What the program cannot do.</param>
    /// <param name="exception">The stream's exception.</param>
    public void Note(string problem, Exception exception)
    {
        Interlocked.CompareExchange(ref _exception, new ProgramStreamException(problem, exception), null);
        try
        {
            end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run has ended meanwhile.
        }
    }
}
