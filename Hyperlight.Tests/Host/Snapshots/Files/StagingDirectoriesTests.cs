using Hyperlight.Host.Files;
using Hyperlight.Host.Snapshots.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>The directories in which a new snapshot directory is written.</summary>
[TestFixture]
internal sealed class StagingDirectoriesTests
{
    private string _parent = null!;

    [SetUp]
    public void CreateParent() => _parent = Directory.CreateTempSubdirectory("hyperlight-").FullName;

    [TearDown]
    public void DeleteParent() => Directory.Delete(_parent, recursive: true);

    [Test]
    public void A_directory_that_another_writer_removes_as_abandoned_is_replaced()
    {
        using var parent = new CleanedDirectory(OpenDirectory.TryOpen(_parent)!, removals: 3);

        using OpenDirectory staging = new StagingDirectories(parent, "snapshots").Create(out string name);

        Assert.That(Directory.GetFileSystemEntries(_parent), Is.EqualTo(new[] { Path.Combine(_parent, name) }));
        Assert.That(staging.Names(), Is.Empty);
    }

    [Test]
    public void A_directory_that_is_always_removed_is_an_error()
    {
        using var parent = new CleanedDirectory(OpenDirectory.TryOpen(_parent)!, removals: int.MaxValue);

        Assert.That(() => new StagingDirectories(parent, "snapshots").Create(out _), Throws.TypeOf<DirectoryNotFoundException>());
    }

    /// <summary>Another writer has just finished, and removes every directory that is not locked.</summary>
    private sealed class CleanedDirectory(OpenDirectory inner, int removals) : OpenDirectory
    {
        private int _removals = removals;

        public override bool CreateDirectory(string name)
        {
            bool isCreated = inner.CreateDirectory(name);
            if (_removals-- > 0)
            {
                new StagingDirectories(inner, "snapshots").RemoveAbandoned();
            }

            return isCreated;
        }

        public override OpenDirectory? TryOpenDirectory(string name) => inner.TryOpenDirectory(name);

        public override SafeFileHandle? TryOpenFile(string name) => inner.TryOpenFile(name);

        public override SafeFileHandle CreateFile(string name) => inner.CreateFile(name);

        public override LockResult TryLock(string name, bool create, out SafeFileHandle? file) => inner.TryLock(name, create, out file);

        public override void Rename(string name, string newName) => inner.Rename(name, newName);

        public override void DeleteFile(string name) => inner.DeleteFile(name);

        public override void DeleteDirectory(string name) => inner.DeleteDirectory(name);

        public override IReadOnlyList<string> Names() => inner.Names();

        public override void Dispose() => inner.Dispose();
    }
}
