namespace Hyperlight.Tests.Soak;

/// <summary>Sandboxes that begin and end.</summary>
internal static class LifeActions
{
    public static void Create(SoakWorker worker)
    {
        SandboxBuilder builder = worker.Scene.Builder();
        int file = worker.Random.Next(SoakScene.FileCount * 2);
        if (file < SoakScene.FileCount)
        {
            builder.WithFileMapping(worker.Scene.FilePath(file), MappingActions.AddressOf(file));
        }

        Tenant tenant = worker.Add(worker.Build(builder));
        if (file < SoakScene.FileCount)
        {
            tenant.Files.Add(file);
        }
    }

    public static void CreateInTwoSteps(SoakWorker worker)
    {
        using UninitializedSandbox uninitialized = worker.Scene.Builder().BuildUninitialized();
        int file = worker.Random.Next(SoakScene.FileCount);
        uninitialized.MapFile(worker.Scene.FilePath(file), MappingActions.AddressOf(file));
        var tenant = new Tenant(uninitialized.Evolve(), worker.Scene.Plant, counter: 0);
        tenant.Files.Add(file);
        worker.Add(tenant);
    }

    public static void AbandonUninitialized(SoakWorker worker)
    {
        UninitializedSandbox uninitialized = worker.Scene.Builder().BuildUninitialized();
        int file = worker.Random.Next(SoakScene.FileCount);
        uninitialized.MapFile(worker.Scene.FilePath(file), MappingActions.AddressOf(file));
        worker.Give(uninitialized);
    }

    /// <summary>From a snapshot of this thread, or of another, which may dispose it at any moment.</summary>
    public static void CreateFromSnapshot(SoakWorker worker)
    {
        bool isShared = worker.Toss();
        if ((isShared ? worker.Scene.PickShared(worker.Random) : worker.PickSnapshot()) is not { } snapshot)
        {
            return;
        }

        try
        {
            worker.Add(worker.Build(worker.Scene.Builder().WithSnapshot(snapshot.Snapshot), snapshot.Counter));
        }
        catch (ObjectDisposedException) when (isShared && snapshot.Snapshot.IsDisposed)
        {
        }
    }

    public static void Dispose(SoakWorker worker)
    {
        Tenant tenant = worker.PickAny();
        worker.Remove(tenant);
        tenant.Sandbox.Dispose();
        SoakFailure.Check(tenant.Sandbox.Status, SandboxStatus.Disposed, "The status of a disposed sandbox");
    }

    public static void Drop(SoakWorker worker) => worker.Remove(worker.PickAny());

    /// <summary>Another thread disposes the sandbox before the call, at its beginning, or in the middle.</summary>
    public static void DisposeDuringCall(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        worker.Remove(tenant);
        Task dispose = EndActions.Later(worker, tenant.Sandbox.Dispose);
        try
        {
            tenant.Sandbox.Call("SpinForever");
            throw new SoakFailure("An endless call of a disposed sandbox returned.");
        }
        catch (Exception exception) when (exception is ExecutionCanceledException or ObjectDisposedException)
        {
        }

        dispose.Wait();
        SoakFailure.Check(tenant.Sandbox.Status, SandboxStatus.Disposed, "The status of a disposed sandbox");
    }
}
