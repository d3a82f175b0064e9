using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Snapshots;
using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Tests.Host.Files;
using Hyperlight.Tests.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>
/// Someone else can write to the directory, and plants links, pipes and whatever else there is in the places of files and
/// directories. Nothing outside is read, written or removed, nothing makes the caller wait, and every refusal is typed.
/// </summary>
[TestFixture]
internal sealed class PlantedFileTests : SavedSnapshotTest
{
    private const string Precious = "precious";

    private string Outside => Path.Combine(Parent, "outside");

    private string OutsideFile => Path.Combine(Outside, "file");

    /// <summary>One for a whole test, so that its files have the same names each time.</summary>
    private Snapshot _snapshot = null!;

    [SetUp]
    public void CreateOutside()
    {
        _snapshot = Sandbox.TakeSnapshot();
        Directory.CreateDirectory(Outside);
        File.WriteAllText(OutsideFile, Precious);
    }

    [TearDown]
    public void DisposeSnapshot() => _snapshot.Dispose();

    [Test]
    public void A_link_in_any_place_is_not_written_through()
    {
        foreach (string place in Places())
        {
            Prepare();
            string path = Path.Combine(Target, place);
            bool isDirectory = Directory.Exists(path);
            SpecialFiles.Remove(path);
            File.CreateSymbolicLink(path, isDirectory ? Outside : OutsideFile);

            string outcome = Outcome(SaveOver);

            TestContext.Out.WriteLine($"{place}: {outcome}");
            AssertOutsideIsUntouched(place);
        }
    }

    [Test]
    public void A_link_that_is_planted_during_any_step_is_not_written_through()
    {
        foreach (string place in Places().Append("."))
        {
            Prepare();
            string path = Path.GetFullPath(Path.Combine(Target, place));
            SnapshotContent content = WithInterruption(_snapshot.Content, () =>
            {
                bool isDirectory = Directory.Exists(path);
                if (Path.Exists(path))
                {
                    Directory.Move(path, Path.Combine(Parent, "moved"));
                }

                File.CreateSymbolicLink(path, isDirectory ? Outside : OutsideFile);
            });

            string outcome = Outcome(() => SnapshotSaver.Save(content, Target, "latest", new SaveOptions { GarbageGrace = TimeSpan.Zero }));

            TestContext.Out.WriteLine($"{place}: {outcome}");
            AssertOutsideIsUntouched(place);
            SpecialFiles.Remove(Path.Combine(Parent, "moved"));
            SpecialFiles.Remove(Target);
        }
    }

    [Test]
    public void A_new_directory_that_is_exchanged_while_it_is_written_is_not_written_through()
    {
        SnapshotContent content = WithInterruption(_snapshot.Content, () =>
        {
            string staging = Directory.GetDirectories(Parent, ".snapshots.*.staging").Single();
            Directory.Move(staging, Path.Combine(Parent, "moved"));
            File.CreateSymbolicLink(staging, Outside);
        });

        TestContext.Out.WriteLine(Outcome(() => SnapshotSaver.Save(content, Target, "latest", new SaveOptions { GarbageGrace = TimeSpan.Zero })));

        AssertOutsideIsUntouched("staging");
    }

    [Test]
    public void Names_of_files_that_are_being_written_cannot_be_foreseen()
    {
        var seen = new HashSet<string>();
        for (int i = 0; i < 5; i++)
        {
            SnapshotContent content = WithInterruption(
                _snapshot.Content, () => Assert.That(seen.Add(Directory.GetFiles(Target, "*.hyperlight.tmp", SearchOption.AllDirectories).Single())));
            Directory.CreateDirectory(Target);
            SnapshotSaver.Save(content, Target, "latest", new SaveOptions { GarbageGrace = TimeSpan.Zero });
        }
    }

    [Test]
    public void Abandoned_directories_that_are_links_are_not_followed()
    {
        string link = Path.Combine(Parent, ".snapshots.abcdefgh.ijx.staging");
        File.CreateSymbolicLink(link, Outside);
        string inner = Path.Combine(Parent, ".snapshots.abcdefgh.ijy.staging");
        Directory.CreateDirectory(inner);
        File.WriteAllText(Path.Combine(inner, ".hyperlight.lock"), "");
        File.CreateSymbolicLink(Path.Combine(inner, "blobs"), Outside);

        Save();

        AssertOutsideIsUntouched("staging");
        Load().Dispose();
    }

    [Test]
    public void Any_file_type_in_place_of_a_file_is_a_typed_error_without_blocking()
    {
        foreach (string place in Places())
        {
            foreach ((string kind, Action<string> plant) in SpecialFiles.All())
            {
                Prepare();
                string path = Path.Combine(Target, place);
                SpecialFiles.Remove(path);
                plant(path);

                string loaded = "", saved = "";
                Deadline.Run(() => loaded = Outcome(() => Load().Dispose()), $"loading, {place}: {kind}");
                Deadline.Run(() => saved = Outcome(SaveOver), $"saving, {place}: {kind}");
                if (place == "index.json")
                {
                    TestContext.Out.WriteLine($"{kind}: load {loaded}; save {saved}");
                }

                Assert.That(loaded, Is.Not.EqualTo("done").Or.Matches<string>(_ => IsOnlyForSaving(place)), $"{place}: {kind}");
                AssertOutsideIsUntouched(place);
            }
        }
    }

    [Test]
    public void Any_file_type_in_place_of_the_directory_is_a_typed_error_without_blocking()
    {
        foreach ((string kind, Action<string> plant) in SpecialFiles.All())
        {
            SpecialFiles.Remove(Target);
            plant(Target);

            Deadline.Run(() => TestContext.Out.WriteLine($"load, {kind}: {Outcome(() => Load().Dispose())}"), kind);
            if (kind is not "link to a directory")
            {
                Deadline.Run(() => TestContext.Out.WriteLine($"save, {kind}: {Outcome(() => Save())}"), kind);
            }
        }
    }

    [Test]
    public void A_huge_file_without_content_is_refused_before_it_is_read()
    {
        foreach (string place in Places().Where(p => !IsOnlyForSaving(p)))
        {
            Prepare();
            string path = Path.Combine(Target, place);
            if (Directory.Exists(path))
            {
                continue;
            }

            using (FileStream file = File.OpenWrite(path))
            {
                file.SetLength(1L << 40);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(() => Load().Dispose(), Throws.TypeOf<SnapshotFileException>(), place);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20), place);
        }
    }

    [Test]
    public void A_file_without_read_permission_is_a_typed_error()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("This process may read every file; a user without privileges is needed.");
        }

        foreach (string place in Places().Where(p => !IsOnlyForSaving(p)))
        {
            Prepare();
            SpecialFiles.Forbid(Path.Combine(Target, place));
            AssertRefused(SnapshotFileProblem.Access);
        }
    }

    /// <summary>Everything that a saved snapshot consists of and a saver touches, and the temporary names of earlier versions.</summary>
    private string[] Places()
    {
        Prepare();
        string[] places = [.. Directory.GetFileSystemEntries(Target, "*", SearchOption.AllDirectories).Select(p => Path.GetRelativePath(Target, p))];
        Assert.That(places, Has.Length.GreaterThan(8));
        return [.. places, .. places.Where(p => File.Exists(Path.Combine(Target, p))).Select(p => p + ".hyperlight.tmp"), "blobs/sha256/memory.hyperlight.tmp"];
    }

    private static bool IsOnlyForSaving(string place) =>
        place is ".hyperlight.lock" or ".hyperlight.garbage" || place.EndsWith(".tmp", StringComparison.Ordinal);

    /// <summary>A directory with a snapshot, and a list of blobs that were replaced.</summary>
    private void Prepare()
    {
        SpecialFiles.Remove(Target);
        _snapshot.Save(Target);
        string garbage = Path.Combine(Target, ".hyperlight.garbage");
        File.WriteAllText(garbage, $"sha256:{new string('0', 64)} 0\n", new UTF8Encoding(false));
    }

    /// <summary>Saves, and removes at once what no tag leads to any more.</summary>
    private void SaveOver() => SnapshotSaver.Save(_snapshot.Content, Target, "latest", new SaveOptions { GarbageGrace = TimeSpan.Zero });

    private static SnapshotContent WithInterruption(SnapshotContent content, Action interruption)
    {
        GuestImage image = content.Image;
        var region = new StubbornRegion(new ManagedMemoryRegion(image.Pages.Size)) { Meanwhile = interruption };
        return content with { Image = new GuestImage(image.Layout, region, image.PageTables, image.EntryPoint, image.Generation) };
    }

    private static string Outcome(Action action)
    {
        try
        {
            action();
            return "done";
        }
        catch (SnapshotFileException exception)
        {
            return $"{exception.Problem}: {exception.Message}";
        }
    }

    private void AssertOutsideIsUntouched(string place)
    {
        Assert.That(File.ReadAllText(OutsideFile), Is.EqualTo(Precious), place);
        Assert.That(Directory.GetFileSystemEntries(Outside), Is.EqualTo(new[] { OutsideFile }), place);
    }
}
