using System.Diagnostics;

namespace Hyperlight.Tests.Soak;

/// <summary>One thread of a soak for one round: does one thing after the other to its sandboxes, chosen at random.</summary>
internal sealed class SoakWorker(SoakScene scene, int number, int seed)
{
    private const int MostTenants = 4;
    private const int MostSnapshots = 3;

    /// <summary>What is done how often, by its name in failures.</summary>
    private static readonly (string Name, int Weight, Action<SoakWorker> Do)[] Actions =
    [
        ("create", 6, LifeActions.Create),
        ("create through an uninitialized sandbox", 3, LifeActions.CreateInTwoSteps),
        ("create from a snapshot", 8, LifeActions.CreateFromSnapshot),
        ("abandon an uninitialized sandbox", 2, LifeActions.AbandonUninitialized),
        ("dispose", 5, LifeActions.Dispose),
        ("drop", 3, LifeActions.Drop),
        ("dispose during a call", 2, LifeActions.DisposeDuringCall),
        ("count", 20, CallActions.Count),
        ("echo", 20, CallActions.Echo),
        ("call the host", 10, CallActions.CallHost),
        ("use the heap", 5, CallActions.UseHeap),
        ("fail and go on", 5, CallActions.Fail),
        ("plant", 6, CallActions.Plant),
        ("crash", 8, EndActions.Crash),
        ("cancel by a token", 4, EndActions.CancelByToken),
        ("cancel by the handle", 4, EndActions.CancelByHandle),
        ("cancel around a short call", 6, EndActions.CancelAroundShortCall),
        ("take a snapshot", 8, SnapshotActions.Take),
        ("restore", 10, SnapshotActions.Restore),
        ("share a snapshot", 2, SnapshotActions.Share),
        ("save and load", 2, SnapshotActions.SaveAndLoad),
        ("map a file", 6, MappingActions.MapFile),
        ("read mapped files", 8, MappingActions.ReadFiles),
        ("unmap a file", 3, MappingActions.UnmapFile),
        ("shorten a mapped file", 2, MappingActions.ShortenMappedFile),
        ("map host memory", 2, MappingActions.MapHostMemory),
    ];

    private static readonly int TotalWeight = Actions.Sum(static a => a.Weight);

    private readonly List<Tenant> _tenants = [];
    private readonly List<CheckedSnapshot> _snapshots = [];

    public SoakScene Scene => scene;

    /// <summary>The thread's number, for names of files.</summary>
    public int Number => number;

    public Random Random { get; } = new(seed);

    /// <summary>What the thread is doing, for a report of a thread that does not come to an end.</summary>
    public string CurrentAction { get; private set; } = "nothing";

    /// <summary>How much was done, by name.</summary>
    public Dictionary<string, int> Done { get; } = [];

    /// <summary>Works until the time is over, and then releases everything, half of it without disposing it.</summary>
    /// <exception cref="SoakFailure">Something was wrong.</exception>
    public void Work(TimeSpan time, CancellationToken stop)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < time && !stop.IsCancellationRequested;)
        {
            (string name, _, Action<SoakWorker> act) = Choose();
            CurrentAction = name;
            try
            {
                act(this);
            }
            catch (Exception exception)
            {
                throw new SoakFailure($"Thread {number}, after {Done.Values.Sum()} actions, to {name}: {exception.Message}", exception);
            }

            Done[name] = Done.GetValueOrDefault(name) + 1;
        }

        CurrentAction = "give up everything";
        GiveUpEverything();
    }

    /// <summary>A sandbox that can be called: an old one, or a new one.</summary>
    public Tenant PickReady()
    {
        List<Tenant> ready = _tenants.FindAll(static t => !t.IsPoisoned);
        return ready.Count > 0 ? Pick(ready) : Add(Build(scene.Builder()));
    }

    /// <summary>A sandbox, in whatever state.</summary>
    public Tenant PickAny() => _tenants.Count > 0 ? Pick(_tenants) : PickReady();

    public Tenant? PickOrNull(Predicate<Tenant> match) => _tenants.FindAll(match) is { Count: > 0 } found ? Pick(found) : null;

    public T Pick<T>(IReadOnlyList<T> list) => list[Random.Next(list.Count)];

    /// <summary>Whether, with an even chance.</summary>
    public bool Toss() => Random.Next(2) == 0;

    public Tenant Build(SandboxBuilder builder, int counter = 0) => new(builder.Build(), scene.Plant, counter);

    /// <summary>Keeps a sandbox, and disposes or drops another if there are too many.</summary>
    public Tenant Add(Tenant tenant)
    {
        if (_tenants.Count == MostTenants)
        {
            Tenant former = Pick(_tenants);
            Remove(former);
            Give(former.Sandbox);
        }

        _tenants.Add(tenant);
        return tenant;
    }

    public void Remove(Tenant tenant) => _tenants.Remove(tenant);

    /// <summary>Keeps a snapshot, and disposes or drops another if there are too many.</summary>
    public void Add(CheckedSnapshot snapshot)
    {
        if (_snapshots.Count == MostSnapshots)
        {
            CheckedSnapshot former = Pick(_snapshots);
            _snapshots.Remove(former);
            Give(former.Snapshot);
        }

        _snapshots.Add(snapshot);
    }

    /// <summary>A snapshot of this thread, which nobody disposes meanwhile.</summary>
    public CheckedSnapshot? PickSnapshot() => _snapshots.Count == 0 ? null : Pick(_snapshots);

    /// <summary>Disposes an object, or leaves it to the garbage collector.</summary>
    public void Give(IDisposable disposable)
    {
        if (Toss())
        {
            disposable.Dispose();
        }
    }

    private (string Name, int Weight, Action<SoakWorker> Do) Choose()
    {
        int place = Random.Next(TotalWeight);
        int i = 0;
        while (place >= Actions[i].Weight)
        {
            place -= Actions[i++].Weight;
        }

        return Actions[i];
    }

    private void GiveUpEverything()
    {
        _tenants.ForEach(t => Give(t.Sandbox));
        _tenants.Clear();
        _snapshots.ForEach(s => Give(s.Snapshot));
        _snapshots.Clear();
    }
}
