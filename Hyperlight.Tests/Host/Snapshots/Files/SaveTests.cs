using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>What is written where.</summary>
[TestFixture]
internal sealed class SaveTests : SavedSnapshotTest
{
    private const string Blobs = "blobs/sha256/";

    /// <summary>Everything that is saved, saved again, and replaced.</summary>
    [Test]
    [UnsupportedOSPlatform("windows")]
    public void Other_users_cannot_read_what_is_saved()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes.");
        }

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Save();
        Save();

        string[] paths = [Target, .. Directory.EnumerateFileSystemEntries(Target, "*", SearchOption.AllDirectories)];
        Assert.That(paths, Has.Length.GreaterThan(5));
        Assert.That(paths.Where([UnsupportedOSPlatform("windows")] (path) => (File.GetUnixFileMode(path) & others) != 0), Is.Empty);
    }

    [Test]
    public void The_directory_is_an_oci_image_layout()
    {
        string digest = Save();

        JsonNode marker = Json("oci-layout");
        JsonNode index = Json("index.json");
        JsonNode descriptor = index["manifests"]![0]!;
        JsonNode manifest = Json(Blobs + Hex(descriptor["digest"]!));
        Assert.That(marker.ToJsonString(), Is.EqualTo("""{"imageLayoutVersion":"1.0.0"}"""));
        Assert.That(File.ReadAllText(Path.Combine(Target, "index.json")), Does.Contain("\"application/vnd.oci.image.index.v1+json\""), "as people write it");
        Assert.That(index["schemaVersion"]!.GetValue<int>(), Is.EqualTo(2));
        Assert.That(index["mediaType"]!.GetValue<string>(), Is.EqualTo("application/vnd.oci.image.index.v1+json"));
        Assert.That(index["manifests"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That(descriptor["digest"]!.GetValue<string>(), Is.EqualTo(digest));
        Assert.That(descriptor["mediaType"]!.GetValue<string>(), Is.EqualTo("application/vnd.oci.image.manifest.v1+json"));
        Assert.That(descriptor["annotations"]!.AsObject().Select(a => $"{a.Key}={a.Value}"), Is.EqualTo(new[]
        {
            "org.opencontainers.image.ref.name=latest",
            "dev.hyperlight.snapshot.arch=x86_64",
            "dev.hyperlight.snapshot.hypervisor=mock",
            "dev.hyperlight.snapshot.cpu.vendor=MockedVendor",
        }));
        Assert.That(manifest["artifactType"]!.GetValue<string>(), Is.EqualTo("application/vnd.hyperlight.dotnet.snapshot.config.v1+json"));
        Assert.That(manifest["config"]!["mediaType"]!.GetValue<string>(), Is.EqualTo("application/vnd.hyperlight.dotnet.snapshot.config.v1+json"));
        Assert.That(manifest["layers"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That(manifest["layers"]![0]!["mediaType"]!.GetValue<string>(), Is.EqualTo("application/vnd.hyperlight.dotnet.snapshot.memory.v1"));
    }

    [Test]
    public void Every_blob_has_the_name_of_its_digest_and_the_size_of_its_descriptor()
    {
        Save();

        var saved = new SavedDirectory(Target);
        foreach (JsonNode descriptor in new[] { saved.ManifestDescriptor, saved.ConfigDescriptor, saved.MemoryDescriptor })
        {
            byte[] content = File.ReadAllBytes(saved.BlobFile(descriptor));
            Assert.That(Hex(descriptor["digest"]!), Is.EqualTo(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))));
            Assert.That(descriptor["size"]!.GetValue<long>(), Is.EqualTo(content.Length));
        }

        Assert.That(Directory.GetFiles(Path.Combine(Target, Blobs)), Has.Length.EqualTo(3));
    }

    [Test]
    public void The_configuration_has_the_fields_of_the_format()
    {
        Save();

        JsonObject config = new SavedDirectory(Target).Config;
        Assert.That(config.Select(p => p.Key), Is.EqualTo(new[]
        {
            "hyperlight_version", "arch", "dotnet_format_version", "hypervisor", "cpu_vendor", "stack_top_gva", "entrypoint_addr",
            "original_entrypoint_addr", "sregs", "msrs", "layout", "memory_size", "host_functions", "snapshot_generation",
        }));
        Assert.That(config["sregs"]!.AsObject().Select(p => p.Key), Is.EqualTo(new[]
        {
            "cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt", "gdt", "idt", "cr0", "cr2", "cr4", "cr8", "efer", "apic_base",
            "interrupt_bitmap",
        }));
        Assert.That(config["sregs"]!["cs"]!.AsObject().Select(p => p.Key), Is.EqualTo(new[]
        {
            "base", "limit", "selector", "type_", "present", "dpl", "db", "s", "l", "g", "avl", "unusable", "padding",
        }));
        Assert.That(config["layout"]!.AsObject().Select(p => p.Key), Is.EqualTo(new[]
        {
            "input_data_size", "output_data_size", "heap_size", "code_size", "init_data_size", "init_data_permissions",
            "scratch_size", "snapshot_size", "pt_size",
        }));
        Assert.That(config["host_functions"]![0]!.ToJsonString(), Is.EqualTo(
            """{"function_name":"HostPrint","parameter_types":["string"],"return_type":"int"}"""));
        Assert.That(config["dotnet_format_version"]!.GetValue<int>(), Is.EqualTo(1));
    }

    [Test]
    public void The_memory_is_the_image_and_the_page_tables_behind_it()
    {
        Save();

        using Snapshot snapshot = Sandbox.TakeSnapshot();
        byte[] pages = new byte[snapshot.Size];
        snapshot.Content.Image.Pages.Read(0, pages);
        Assert.That(new SavedDirectory(Target).Memory, Is.EqualTo((byte[])[.. pages, .. snapshot.Content.Image.PageTables]));
    }

    [Test]
    public void Saving_the_same_again_changes_nothing()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        string first = snapshot.Save(Target);
        string[] files = Files();

        Assert.That(snapshot.Save(Target), Is.EqualTo(first));
        Assert.That(Files(), Is.EqualTo(files));
    }

    [Test]
    public void A_tag_goes_to_the_snapshot_that_was_saved_last_and_what_only_the_other_used_is_removed()
    {
        string first = Save();
        Save("kept");
        Change();

        string second = Save();

        Assert.That(second, Is.Not.EqualTo(first));
        using (Snapshot latest = Load())
        using (Snapshot kept = Load("kept"))
        {
            Assert.That(latest.Generation, Is.GreaterThan(kept.Generation));
        }

        Save("kept");
        Assert.That(Directory.GetFiles(Path.Combine(Target, Blobs)), Has.Length.GreaterThan(3), "someone may be reading the first");
        Assert.That(() => Load(first), Throws.TypeOf<SnapshotFileException>());
        SaveAndCleanUp("kept");
        Assert.That(Directory.GetFiles(Path.Combine(Target, Blobs)), Has.Length.EqualTo(3), "both tags are of one snapshot");
        Load().Dispose();
        Load("kept").Dispose();
    }

    [Test]
    public void Replaced_blobs_are_removed_after_a_crash()
    {
        Save();
        string garbage = Path.Combine(Target, ".hyperlight.garbage");
        string[] first = Directory.GetFiles(Path.Combine(Target, Blobs));
        Change();
        Save();
        string[] unused = [.. File.ReadAllLines(garbage).Select(l => Path.Combine(Target, Blobs, l.Split(' ')[0]["sha256:".Length..]))];
        Assert.That(unused, Has.Length.EqualTo(2), "the memory is the same");
        Assert.That(unused, Is.SubsetOf(first));
        File.AppendAllText(garbage, "nonsense\nsha256:../../index.json 0\n");

        SaveAndCleanUp();

        Assert.That(unused.Where(File.Exists), Is.Empty);
        Assert.That(File.ReadAllText(garbage), Is.Empty);
        Load().Dispose();
    }

    [Test]
    public void Files_of_other_programs_are_kept()
    {
        Save();
        var saved = new SavedDirectory(Target);
        string foreign = "sha256:" + new string('a', 64);
        saved.Index["annotations"] = new JsonObject { ["a"] = "b" };
        saved.Index["manifests"]!.AsArray().Add(new JsonObject
        {
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["digest"] = foreign,
            ["size"] = 3,
            ["platform"] = new JsonObject { ["os"] = "linux" },
        });
        saved.WriteIndex();
        File.WriteAllText(Path.Combine(Target, Blobs, new string('a', 64)), "abc");
        File.WriteAllText(Path.Combine(Target, "notes.tmp"), "abc");
        Change();

        SaveAndCleanUp();

        JsonNode index = Json("index.json");
        Assert.That(index["annotations"]!["a"]!.GetValue<string>(), Is.EqualTo("b"));
        Assert.That(index["manifests"]!.AsArray().Select(m => m!["digest"]!.GetValue<string>()), Has.Member(foreign));
        Assert.That(index["manifests"]![0]!["platform"]!["os"]!.GetValue<string>(), Is.EqualTo("linux"));
        Assert.That(Path.Combine(Target, Blobs, new string('a', 64)), Does.Exist);
        Assert.That(Path.Combine(Target, "notes.tmp"), Does.Exist);
        Assert.That(saved.BlobFile(saved.ManifestDescriptor), Does.Exist, "there is no telling what a nested index uses");
        Assert.That(File.ReadAllText(Path.Combine(Target, ".hyperlight.garbage")), Is.Empty, "the list does not grow for ever");
    }

    [Test]
    public void An_empty_directory_is_filled()
    {
        Directory.CreateDirectory(Target);

        Save();

        using Snapshot snapshot = Load();
        Assert.That(snapshot.Generation, Is.EqualTo(1));
    }

    [Test]
    public void Directories_above_are_made()
    {
        string path = Path.Combine(Target, "a", "b");

        Save(path: path + Path.DirectorySeparatorChar);

        Snapshot.Load(path, hypervisor: Guest.Hypervisor.Object).Dispose();
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(Target, "a")), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_directory_of_something_else_is_refused_and_not_touched()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "precious"), "x");

        AssertNotSaved(SnapshotFileProblem.NotASnapshot, Target);
        Assert.That(Files(), Is.EqualTo(new[] { "precious" }));
    }

    [Test]
    public void A_layout_of_an_unknown_version_is_refused_and_not_touched()
    {
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "oci-layout"), """{"imageLayoutVersion":"2.0.0"}""");

        AssertNotSaved(SnapshotFileProblem.Version, Target);
        Assert.That(Files(), Is.EqualTo(new[] { "oci-layout" }));
    }

    [Test]
    public void A_file_is_refused()
    {
        File.WriteAllText(Target, "x");

        AssertNotSaved(SnapshotFileProblem.NotASnapshot, Target);
        Assert.That(File.ReadAllText(Target), Is.EqualTo("x"));
    }

    [Test]
    public void A_failed_system_call_is_a_typed_error_and_leaks_nothing()
    {
        string file = Path.Combine(Parent, "file");
        File.WriteAllText(file, "x");

        var exception = AssertNotSaved(SnapshotFileProblem.Access, Path.Combine(file, "snapshots"));
        Assert.That(exception.InnerException, Is.InstanceOf<IOException>());
        Assert.That(Directory.GetFileSystemEntries(Parent), Is.EqualTo(new[] { file }));
    }

    [TestCase("")]
    [TestCase(".hidden")]
    [TestCase("-x")]
    [TestCase("a/b")]
    [TestCase("a:b")]
    [TestCase("a b")]
    [TestCase("\u00e4")]
    public void An_invalid_tag_is_refused(string tag) =>
        Assert.That(() => Save(tag), Throws.InstanceOf<ArgumentException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo("tag"));

    [TestCase(128, true)]
    [TestCase(129, false)]
    public void A_tag_has_128_characters_at_most(int length, bool isValid) =>
        Assert.That(() => Save(new string('x', length)), isValid ? Throws.Nothing : Throws.ArgumentException);

    [Test]
    public void A_disposed_snapshot_is_not_saved()
    {
        Snapshot snapshot = Sandbox.TakeSnapshot();
        snapshot.Dispose();

        Assert.That(() => snapshot.Save(Target), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Directory.Exists(Target), Is.False);
    }

    [Test]
    public void An_index_that_could_not_be_read_is_not_written()
    {
        Save();
        var saved = new SavedDirectory(Target);
        saved.Index["annotations"] = new JsonObject { ["a"] = new string('x', (1 << 20) - 1000) };
        saved.WriteIndex();

        var exception = AssertNotSaved(SnapshotFileProblem.TooLarge, Target, tag: new string('t', 128));
        Assert.That(exception.Message, Does.Contain("1048576"));
        Load().Dispose();
    }

    [Test]
    public void Leftovers_of_a_crashed_process_are_removed()
    {
        Save();
        string blob = Path.Combine(Target, Blobs, "abcdefgh.ij0.hyperlight.tmp");
        string index = Path.Combine(Target, "abcdefgh.ij1.hyperlight.tmp");
        string staging = Path.Combine(Parent, ".snapshots.abcdefgh.ijx.staging");
        string used = Path.Combine(Parent, ".snapshots.abcdefgh.ijy.staging");
        string foreign = Path.Combine(Target, "notes.hyperlight.tmp");
        string other = Path.Combine(Parent, ".else.abcdefgh.ijx.staging");
        File.WriteAllText(blob, "x");
        File.WriteAllText(index, "x");
        File.WriteAllText(foreign, "x");
        foreach (string directory in new[] { staging, used, other })
        {
            Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, ".hyperlight.lock"), "");
        }

        using (new FileStream(Path.Combine(used, ".hyperlight.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Save();
        }

        Assert.That(new[] { blob, index }.Where(File.Exists), Is.Empty);
        Assert.That(staging, Does.Not.Exist);
        Assert.That(used, Does.Exist, "someone is writing it");
        Assert.That(other, Does.Exist, "of another path");
        Assert.That(foreign, Does.Exist, "of another program");
    }

    [Test]
    public void Threads_that_save_to_one_directory_wait_for_each_other()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        string[] tags = [.. Enumerable.Range(0, 24).Select(i => $"tag-{i}")];

        Parallel.ForEach(tags, tag => snapshot.Save(Target, tag));

        Assert.That(
            Json("index.json")["manifests"]!.AsArray().Select(m => m!["annotations"]!["org.opencontainers.image.ref.name"]!.GetValue<string>()),
            Is.EquivalentTo(tags));
        Assert.That(Directory.GetFileSystemEntries(Parent), Is.EqualTo(new[] { Target }));
    }

    private SnapshotFileException AssertNotSaved(SnapshotFileProblem problem, string path, string tag = Snapshot.DefaultTag)
    {
        SnapshotFileException exception = Assert.Throws<SnapshotFileException>(() => Save(tag, path))!;
        TestContext.Out.WriteLine(exception.Message);
        Assert.That(exception.Problem, Is.EqualTo(problem), exception.Message);
        return exception;
    }

    private static string Hex(JsonNode digest) => digest.GetValue<string>()["sha256:".Length..];

    private JsonNode Json(string file) => JsonNode.Parse(File.ReadAllBytes(Path.Combine(Target, file)))!;

    private string[] Files() =>
        [.. Directory.GetFiles(Target, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Target, f)).Order(StringComparer.Ordinal)];
}
