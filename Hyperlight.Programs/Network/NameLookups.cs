using System.Net;

namespace Hyperlight.Programs.Network;

/// <summary>
/// The lookups of names of one run. The operating system looks names up on a thread, and a lookup that has begun cannot be cancelled: it is left
/// behind, and the number of those that are under way is limited, for the run and for the process.
/// </summary>
#pragma warning disable CA1001 // The semaphore has no wait handle to release, and a lookup can outlast the run.
internal sealed class NameLookups
#pragma warning restore CA1001
{
    private const int MostOfRun = 4;
    private const int MostOfProcess = 64;

    private static readonly SemaphoreSlim Process = new(MostOfProcess);

    private readonly SemaphoreSlim _run = new(MostOfRun);

    /// <summary>Finds the addresses of a name.</summary>
    /// <param name="resolve">The lookup.</param>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Ends the wait at once, also if the lookup goes on.</param>
    public async Task<IPAddress[]> ResolveAsync(
        Func<string, CancellationToken, Task<IPAddress[]>> resolve, string name, CancellationToken cancellationToken)
    {
        await _run.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Process.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _run.Release();
            throw;
        }

        Task<IPAddress[]> lookup = Task.Run(() => resolve(name, cancellationToken), CancellationToken.None);
        _ = lookup.ContinueWith(
            ended =>
            {
                // Nobody may wait for it any more: its failure is observed here.
                _ = ended.Exception;
                Process.Release();
                _run.Release();
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return await lookup.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
