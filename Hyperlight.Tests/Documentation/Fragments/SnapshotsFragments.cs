namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/snapshots.md.</summary>
[TestFixture]
internal sealed class SnapshotsFragments : FragmentFixture
{
    [Test]
    public void Restoring()
    {
        SandboxBuilder builder = new SandboxBuilder().WithGuest(TestGuest);

        using MultiUseSandbox sandbox = builder.Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Call<int>("IncrementCounter");
        sandbox.Restore(snapshot);                                   // undoes the call
        using MultiUseSandbox other = builder.WithSnapshot(snapshot).Build();

        Assert.That(sandbox.Call<int>("GetCounter"), Is.Zero);
        Assert.That(other.Call<int>("GetCounter"), Is.Zero);
    }

    [Test]
    public void Saving_and_loading()
    {
        SandboxBuilder builder = new SandboxBuilder().WithGuest(TestGuest);
        using MultiUseSandbox first = builder.Build();
        using Snapshot snapshot = first.TakeSnapshot();

        string digest = snapshot.Save("snapshots/ready");            // tag "latest"
        using Snapshot loaded = Snapshot.Load("snapshots/ready");    // or by another tag, or by the digest
        using MultiUseSandbox sandbox = builder.WithSnapshot(loaded).Build();

        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
        Snapshot.Load("snapshots/ready", digest).Dispose();
    }
}
