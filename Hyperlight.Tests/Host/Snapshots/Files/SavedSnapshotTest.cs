using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Tests.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>The base of the tests that save snapshots of a mocked machine: a directory that does not exist yet, in one of its own.</summary>
internal abstract class SavedSnapshotTest : ScriptedSandboxTest
{
    protected string Parent { get; private set; } = null!;

    /// <summary>Where snapshots are saved.</summary>
    protected string Target => Path.Combine(Parent, "snapshots");

    [SetUp]
    public void CreateDirectory() => Parent = Directory.CreateTempSubdirectory("hyperlight-").FullName;

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(Parent, recursive: true);

    protected string Save(string tag = Snapshot.DefaultTag, string? path = null)
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        return snapshot.Save(path ?? Target, tag);
    }

    /// <summary>Saves, and lets blobs go at once that no tag leads to any more.</summary>
    protected string SaveAndCleanUp(string tag = Snapshot.DefaultTag)
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        return SnapshotSaver.Save(snapshot.Content, Target, tag, new SaveOptions { GarbageGrace = TimeSpan.Zero });
    }

    protected Snapshot Load(string reference = Snapshot.DefaultTag) => Snapshot.Load(Target, reference, Guest.Hypervisor.Object);

    /// <summary>Makes the next snapshot one of another generation, so that its content differs.</summary>
    protected void Change() => Sandbox.Restore(Advance());

    protected SnapshotFileException AssertRefused(SnapshotFileProblem problem, string reference = Snapshot.DefaultTag)
    {
        int regions = Guest.Regions.Count(r => !r.Handle.IsClosed);
        SnapshotFileException exception = Assert.Throws<SnapshotFileException>(() => Load(reference).Dispose())!;
        TestContext.Out.WriteLine(exception.Message);
        Assert.That(exception.Problem, Is.EqualTo(problem), exception.Message);
        Assert.That(exception.Path, Is.EqualTo(Target));
        Assert.That(Guest.Regions.Count(r => !r.Handle.IsClosed), Is.EqualTo(regions), "no memory is left");
        return exception;
    }

    private Snapshot Advance()
    {
        AssertUsable();
        return Sandbox.TakeSnapshot();
    }
}
