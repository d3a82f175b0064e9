using Hyperlight.Host.Files;
using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Tests.Host.Files;
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

    [TestCase("a.b")]
    [TestCase("a.b.c")]
    [TestCase("a.x.staging")]
    [TestCase("a.abcdefgh.ijk")]
    [TestCase("a.abcdefgh.ijk.staging")]
    public void A_directory_that_is_written_for_a_longer_name_is_not_an_abandoned_one_of_the_shorter(string longer)
    {
        using OpenDirectory parent = OpenDirectory.TryOpen(_parent)!;
        new StagingDirectories(parent, longer).Create(out string name).Dispose();
        Fill(name);
        string[] content = Content();

        new StagingDirectories(parent, "a").RemoveAbandoned();

        Assert.That(Content(), Is.EqualTo(content));
        new StagingDirectories(parent, longer).RemoveAbandoned();
        Assert.That(Content(), Is.Empty, "it is abandoned");
    }

    [Test]
    public void A_directory_whose_name_only_resembles_that_of_an_abandoned_one_is_not_removed()
    {
        string[] resembling = [.. Resembling(".a.abcdefgh.ijk.staging", prefix: ".a.").Distinct()];
        Array.ForEach(resembling, staging => Write(staging, ".hyperlight.lock"));
        Fill(".a.abcdefgh.ijk.staging");

        RemoveAbandoned();

        Assert.That(Directory.GetDirectories(_parent).Select(Path.GetFileName), Is.EquivalentTo(resembling));
    }

    [TestCase("precious.txt")]
    [TestCase("index.json.bak")]
    [TestCase("notes.hyperlight.tmp")]
    [TestCase("photos/holiday.jpg")]
    [TestCase("blobs/precious.txt")]
    [TestCase("blobs/sha512/precious.txt")]
    [TestCase("blobs/sha256/precious.txt")]
    [TestCase("blobs/sha256/notes.hyperlight.tmp")]
    public void A_directory_that_holds_something_else_is_not_removed_whatever_its_name(string file)
    {
        Fill(".a.abcdefgh.ijk.staging");
        Write(".a.abcdefgh.ijk.staging", file);
        string[] content = Content();

        RemoveAbandoned();

        Assert.That(Content(), Is.EqualTo(content));
    }

    [Test]
    public void A_directory_without_a_lock_is_removed_only_if_it_is_empty()
    {
        Write(".a.abcdefgh.aaa.staging", "index.json");
        Directory.CreateDirectory(Path.Combine(_parent, ".a.abcdefgh.bbb.staging"));

        RemoveAbandoned();

        Assert.That(Directory.GetDirectories(_parent).Select(Path.GetFileName), Is.EqualTo(new[] { ".a.abcdefgh.aaa.staging" }));
    }

    [Test]
    public void A_directory_that_gets_its_final_name_after_its_lock_was_tested_keeps_its_content()
    {
        Fill(".a.abcdefgh.ijk.staging");
        string[] content = [.. Content().Select(static f => f.Replace(".a.abcdefgh.ijk.staging", "a", StringComparison.Ordinal))];
        using OpenDirectory parent = OpenDirectory.TryOpen(_parent)!;

        new StagingDirectories(new FinishedMeanwhile(parent, () => parent.Rename(".a.abcdefgh.ijk.staging", "a")), "a").RemoveAbandoned();

        Assert.That(Content(), Is.EqualTo(content));
    }

    [Test]
    public void A_random_name_has_the_form_that_is_recognized()
    {
        for (int i = 0; i < 1000; i++)
        {
            string name = OpenDirectory.RandomName();
            Assert.That(OpenDirectory.IsRandomName(name), name);
        }
    }

    /// <summary>Names with one character more, one less, and one replaced, at every place but in the beginning that they share.</summary>
    private static IEnumerable<string> Resembling(string name, string prefix)
    {
        string rest = name[prefix.Length..];
        for (int i = 0; i < rest.Length; i++)
        {
            yield return prefix + rest.Remove(i, 1);
            foreach (string other in new[] { "A", "9", "_", "-", ".", "é" }.Where(o => !rest[i..].StartsWith(o, StringComparison.Ordinal)))
            {
                yield return prefix + rest.Insert(i, other);
                yield return prefix + rest.Remove(i, 1).Insert(i, other);
            }
        }
    }

    private void RemoveAbandoned()
    {
        using OpenDirectory parent = OpenDirectory.TryOpen(_parent)!;
        new StagingDirectories(parent, "a").RemoveAbandoned();
    }

    /// <summary>Writes what a writer that died leaves in a directory.</summary>
    private void Fill(string staging)
    {
        Write(staging, ".hyperlight.lock");
        Write(staging, "oci-layout");
        Write(staging, "index.json");
        Write(staging, "aaaaaaaa.aaa.hyperlight.tmp");
        Write(staging, $"blobs/sha256/{new string('0', 64)}");
        Write(staging, "blobs/sha256/bbbbbbbb.bbb.hyperlight.tmp");
    }

    private void Write(string staging, string file)
    {
        string path = Path.Combine(_parent, staging, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "x");
    }

    private string[] Content() =>
        [.. Directory.GetFiles(_parent, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Order(StringComparer.Ordinal)];

    /// <summary>Another writer has just finished, and removes every directory that is not locked.</summary>
    private sealed class CleanedDirectory(OpenDirectory inner, int removals) : ForwardingDirectory(inner)
    {
        private int _removals = removals;

        public override bool CreateDirectory(string name)
        {
            bool isCreated = base.CreateDirectory(name);
            if (_removals-- > 0)
            {
                new StagingDirectories(Inner, "snapshots").RemoveAbandoned();
            }

            return isCreated;
        }
    }

    /// <summary>The writer of a directory has just let its lock go, and gives the directory its name when others have seen that.</summary>
    private sealed class FinishedMeanwhile(OpenDirectory inner, Action finish) : ForwardingDirectory(inner)
    {
        public override OpenDirectory? TryOpenDirectory(string name) =>
            base.TryOpenDirectory(name) is { } directory ? new FinishedMeanwhile(directory, finish) : null;

        public override LockResult TryLock(string name, bool create, out SafeFileHandle? file)
        {
            LockResult result = base.TryLock(name, create, out file);
            finish();
            return result;
        }
    }
}
