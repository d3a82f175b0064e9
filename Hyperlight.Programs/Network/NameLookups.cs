using System.Net;
using System.Runtime.CompilerServices;

namespace Hyperlight.Programs.Network;

/// <summary>
/// The lookups of names of one run. The operating system looks names up on a thread, and a lookup that has begun cannot be cancelled: it is left
/// behind, and the number of those that are under way is limited, for the run, for all runs with the same network, for the name, and for the process.
/// Names that are never found do not keep others from being looked up.
/// </summary>
#pragma warning disable CA1001 // The semaphore has no wait handle to release, and a lookup can outlast the run.
internal sealed class NameLookups
#pragma warning restore CA1001
{
    /// <summary>Lookups at a time of all runs with one <see cref="ProgramNetwork"/>.</summary>
    public const int MostOfNetwork = MostOfProcess / 4;

    /// <summary>Lookups at a time of one name, in the process.</summary>
    public const int MostOfName = 4;

    private const int MostOfRun = 4;
    private const int MostOfProcess = 64;

    private static readonly SemaphoreSlim Process = new(MostOfProcess);
    private static readonly ConditionalWeakTable<ProgramNetwork, SemaphoreSlim> Networks = [];
    private static readonly Dictionary<string, NameSlots> Names = new(StringComparer.OrdinalIgnoreCase);

    private readonly SemaphoreSlim _run = new(MostOfRun);

    /// <summary>Finds the addresses of a name.</summary>
    /// <param name="network">What the run may connect to.</param>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Ends the wait at once, also if the lookup goes on.</param>
    public async Task<IPAddress[]> ResolveAsync(ProgramNetwork network, string name, CancellationToken cancellationToken)
    {
        SemaphoreSlim ofNetwork = Networks.GetValue(network, static _ => new SemaphoreSlim(MostOfNetwork));

        // What waits has slots of its own run and network alone, or of a name that others wait for as well.
        SemaphoreSlim[] slots = [_run, ofNetwork, UseName(name), Process];
        int taken = 0;
        try
        {
            for (; taken < slots.Length; taken++)
            {
                await slots[taken].WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            Release(slots.AsSpan(0, taken), name);
            throw;
        }

        Task<IPAddress[]> lookup = Task.Run(() => network.Resolve(name, cancellationToken), CancellationToken.None);
        _ = lookup.ContinueWith(
            ended =>
            {
                // Nobody may wait for it any more: its failure is observed here.
                _ = ended.Exception;
                Release(slots, name);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return await lookup.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void Release(ReadOnlySpan<SemaphoreSlim> slots, string name)
    {
        foreach (SemaphoreSlim slot in slots)
        {
            slot.Release();
        }

        LeaveName(name);
    }

    private static SemaphoreSlim UseName(string name)
    {
        lock (Names)
        {
            if (!Names.TryGetValue(name, out NameSlots? slots))
            {
                Names.Add(name, slots = new NameSlots());
            }

            slots.Users++;
            return slots.Slots;
        }
    }

    /// <summary>What nobody uses any more is forgotten.</summary>
    private static void LeaveName(string name)
    {
        lock (Names)
        {
            if (--Names[name].Users == 0)
            {
                Names.Remove(name);
            }
        }
    }

    private sealed class NameSlots
    {
        public SemaphoreSlim Slots { get; } = new(MostOfName);

        /// <summary>Lookups that are under way or wait for it.</summary>
        public int Users { get; set; }
    }
}
