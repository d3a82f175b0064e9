namespace Hyperlight.Tests.Soak;

/// <summary>Snapshots, in memory and on disk.</summary>
internal static class SnapshotActions
{
    private const int TagsOfAThread = 3;

    public static void Take(SoakWorker worker)
    {
        if (PickCapturable(worker) is { } tenant)
        {
            worker.Add(tenant.TakeSnapshot());
        }
    }

    public static void Restore(SoakWorker worker)
    {
        if (worker.PickSnapshot() is { } snapshot)
        {
            worker.PickAny().Restore(snapshot);
        }
    }

    public static void Share(SoakWorker worker)
    {
        if (PickCapturable(worker) is { } tenant && worker.Scene.Share(tenant.TakeSnapshot(), worker.Random) is { } former)
        {
            worker.Give(former.Snapshot);
        }
    }

    /// <summary>Saves to the directory of all threads, or to one of this thread, and starts a sandbox from what is loaded.</summary>
    public static void SaveAndLoad(SoakWorker worker)
    {
        if (worker.PickSnapshot() is not { } snapshot)
        {
            return;
        }

        bool isShared = worker.Toss();
        string directory = Path.Combine(worker.Scene.Directory, isShared ? "saved" : $"saved-{worker.Number}");
        string tag = $"thread{worker.Number}-{worker.Random.Next(TagsOfAThread)}";
        string digest = snapshot.Snapshot.Save(directory, tag);
        Snapshot loaded = Snapshot.Load(directory, worker.Toss() ? tag : digest, worker.Scene.Hypervisor);
        worker.Add(worker.Build(worker.Scene.Builder().WithSnapshot(loaded), snapshot.Counter));
        worker.Give(loaded);
        if (!isShared && worker.Random.Next(4) == 0)
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>A snapshot of a guest that has planted something would hold it.</summary>
    private static Tenant? PickCapturable(SoakWorker worker) =>
        worker.PickOrNull(static t => !t.IsPoisoned && !t.HasPlanted);
}
