using System.Text.Json.Nodes;
using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;
using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>What is read back, and what is refused.</summary>
[TestFixture]
internal sealed class LoadTests : SavedSnapshotTest
{
    [Test]
    public void Everything_comes_back()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        snapshot.Save(Target);

        using Snapshot loaded = Load();

        AssertSame(loaded.Content, snapshot.Content);
        Assert.That(loaded.Generation, Is.EqualTo(snapshot.Generation));
        Assert.That(loaded.Size, Is.EqualTo(snapshot.Size));
        Assert.That(loaded.Hypervisor, Is.EqualTo("mock"));
        Assert.That(loaded, Is.Not.EqualTo(snapshot), "they do not share memory");
    }

    [Test]
    public void Register_values_are_loaded_unchanged()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        var special = new SpecialRegisters
        {
            Cs = Segment(1),
            Ds = Segment(2),
            Es = Segment(3),
            Fs = Segment(4),
            Gs = Segment(5),
            Ss = Segment(6),
            Tr = Segment(7) with { Attributes = SegmentRegister.ComposeAttributes(0xB, 0, 3, 1, 1, 1, 1, 1) },
            Ldtr = Segment(8),
            Gdtr = new DescriptorTableRegister { Base = ulong.MaxValue, Limit = ushort.MaxValue },
            Idtr = new DescriptorTableRegister { Base = 1UL << 63, Limit = 1 },
            Cr0 = ulong.MaxValue,
            Cr2 = (1UL << 53) + 1,
            Cr4 = 3,
            Cr8 = 4,
            Efer = 5,
            ApicBase = 6,
        };
        var state = new ProcessorState(
            ulong.MaxValue, 0xFFFF_FFFF_FFFF_FFF0, special, ulong.MaxValue, [new(0xC000_0080, ulong.MaxValue), new(1)], ulong.MaxValue - 1);
        SnapshotContent content = snapshot.Content with { Processor = state };
        SnapshotSaver.Save(content, Target, "latest", new SaveOptions());

        using Snapshot loaded = Load();

        Assert.That(loaded.Content.Processor with { Msrs = [] }, Is.EqualTo(state with { Msrs = [] }));
        Assert.That(loaded.Content.Processor.Msrs, Is.EqualTo(state.Msrs));
    }

    [Test]
    public void A_sandbox_starts_from_it()
    {
        Save();
        using Snapshot loaded = Load();

        var other = new ScriptedMachine();
        using MultiUseSandbox sandbox = other.Builder().WithSnapshot(loaded).Build();
        other.Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(sandbox.Guest, Is.Null, "the guest program is not part of a snapshot");
        Sandbox.Restore(loaded);
        AssertUsable();
    }

    [Test]
    public void A_digest_finds_its_snapshot_and_no_other()
    {
        string first = Save("a");
        Change();
        string second = Save("b");

        using Snapshot loadedFirst = Load(first);
        using Snapshot loadedSecond = Load(second);

        Assert.That(loadedSecond.Generation, Is.GreaterThan(loadedFirst.Generation));
        AssertRefused(SnapshotFileProblem.NotFound, "sha256:" + new string('0', 64));
        Assert.That(AssertRefused(SnapshotFileProblem.NotFound, "c").Message, Does.Contain("'a', 'b'"));
    }

    [Test]
    public void The_same_snapshot_under_two_tags_is_found_by_its_digest()
    {
        string digest = Save("a");
        Save("b");

        Load(digest).Dispose();
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("sha256:abc")]
    [TestCase("sha512:0123")]
    [TestCase("sha256:../../../../etc/passwd0000000000000000000000000000000000000000000")]
    public void An_invalid_reference_is_refused(string reference) =>
        Assert.That(() => Load(reference), Throws.InstanceOf<ArgumentException>());

    [Test]
    public void A_missing_snapshot_is_not_found()
    {
        AssertRefused(SnapshotFileProblem.NotFound);
        Directory.CreateDirectory(Target);
        AssertRefused(SnapshotFileProblem.NotFound);
        File.WriteAllText(Path.Combine(Target, ".hyperlight.lock"), "");
        AssertRefused(SnapshotFileProblem.NotFound);
        File.WriteAllText(Path.Combine(Target, "other"), "");
        AssertRefused(SnapshotFileProblem.NotASnapshot);
        File.WriteAllText(Path.Combine(Target, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        AssertRefused(SnapshotFileProblem.NotFound);
        File.WriteAllText(Path.Combine(Target, "index.json"), """{"schemaVersion":2,"manifests":[]}""");
        AssertRefused(SnapshotFileProblem.NotFound);
        File.WriteAllText(Path.Combine(Target, "index.json"), """{"schemaVersion":2}""");
        AssertRefused(SnapshotFileProblem.Corrupted);
    }

    [Test]
    public void A_snapshot_of_another_hypervisor_is_refused()
    {
        Save();
        Guest.Hypervisor.Setup(h => h.Name).Returns("other");

        Assert.That(AssertRefused(SnapshotFileProblem.Hypervisor).Message, Does.Contain("'mock'"));
        Assert.That(
            () => Snapshot.Load(Target),
            Throws.TypeOf<SnapshotFileException>().With.Property(nameof(SnapshotFileException.Problem)).EqualTo(SnapshotFileProblem.Hypervisor),
            "no driver of this machine is called that");
    }

    [Test]
    public void A_snapshot_of_another_vendors_processor_is_refused()
    {
        Save();
        Guest.Hypervisor.Setup(h => h.ProcessorVendor).Returns("OtherVendor");

        Assert.That(AssertRefused(SnapshotFileProblem.Processor).Message, Does.Contain("MockedVendor").And.Contain("OtherVendor"));
    }

    [Test]
    public void Another_layout_version_is_refused()
    {
        Save();
        File.WriteAllText(Path.Combine(Target, "oci-layout"), """{"imageLayoutVersion":"1.1.0"}""");
        AssertRefused(SnapshotFileProblem.Version);
    }

    [TestCaseSource(typeof(SenselessChanges), nameof(SenselessChanges.All))]
    public void A_directory_whose_digests_fit_is_refused_if_it_makes_no_sense(
        string what, Action<SavedDirectory> change, SnapshotFileProblem problem)
    {
        Save();
        new SavedDirectory(Target).Change(change);

        TestContext.Out.WriteLine(what);
        AssertRefused(problem);
    }

    [Test]
    public void A_missing_permission_is_read()
    {
        Save();
        new SavedDirectory(Target).Change(s => s.Config["layout"]!["init_data_permissions"] = null);

        using Snapshot loaded = Load();
        Assert.That(loaded.Content.Image.Layout.InitDataFlags, Is.EqualTo(MemoryFlags.Read));
    }

    [Test]
    public void A_digest_of_another_kind_names_no_file()
    {
        Save();
        var saved = new SavedDirectory(Target);
        saved.ManifestDescriptor["digest"] = "sha256:../../index.json";
        saved.WriteIndex();

        AssertRefused(SnapshotFileProblem.Corrupted);
    }

    [Test]
    public void A_missing_blob_is_named()
    {
        Save();
        var saved = new SavedDirectory(Target);
        foreach ((JsonNode descriptor, string name) in new[]
        {
            ((JsonNode)saved.ConfigDescriptor, "configuration"), (saved.MemoryDescriptor, "memory"), (saved.ManifestDescriptor, "manifest"),
        })
        {
            File.Delete(saved.BlobFile(descriptor));
            Assert.That(AssertRefused(SnapshotFileProblem.Corrupted).Message, Does.Contain($"{name} of the snapshot 'latest' is missing"));
        }
    }

    [Test]
    public void A_shortened_file_is_refused([Values] bool empty)
    {
        Save();
        var saved = new SavedDirectory(Target);
        foreach (JsonNode descriptor in new[] { saved.MemoryDescriptor, saved.ConfigDescriptor, saved.ManifestDescriptor })
        {
            string file = saved.BlobFile(descriptor);
            byte[] content = File.ReadAllBytes(file);
            File.WriteAllBytes(file, empty ? [] : content[..^1]);
            AssertRefused(SnapshotFileProblem.Truncated);
            File.WriteAllBytes(file, [.. content, 0]);
            AssertRefused(SnapshotFileProblem.Corrupted);
            File.WriteAllBytes(file, content);
        }

        Load().Dispose();
    }

    [Test]
    public void A_refused_blob_is_closed()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("What this process has open is known from /proc, which only Linux has.");
        }

        Save();
        var saved = new SavedDirectory(Target);
        File.AppendAllText(saved.BlobFile(saved.MemoryDescriptor), "x");

        AssertRefused(SnapshotFileProblem.Corrupted);

        Assert.That(OpenFiles(), Is.Empty);
    }

    [Test]
    public void No_file_remains_open()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("What this process has open is known from /proc, which only Linux has.");
        }

        Save();
        Change();
        Save();
        Load().Dispose();
        Assert.Throws<SnapshotFileException>(() => Load("none"));

        Assert.That(OpenFiles(), Is.Empty);
    }

    [Test]
    public void An_error_lists_some_tags_of_many()
    {
        Save();
        var saved = new SavedDirectory(Target);
        for (int i = 0; i < 1000; i++)
        {
            JsonNode other = saved.ManifestDescriptor.DeepClone();
            other["annotations"]!["org.opencontainers.image.ref.name"] = $"tag-{i}";
            saved.Index["manifests"]!.AsArray().Add(other);
        }

        saved.WriteIndex();
        Assert.That(AssertRefused(SnapshotFileProblem.NotFound, "none").Message, Has.Length.LessThan(1000));
    }

    [Test]
    public void A_huge_document_is_refused_before_it_is_read()
    {
        Save();
        foreach (string file in new[] { "oci-layout", "index.json" })
        {
            string path = Path.Combine(Target, file);
            byte[] content = File.ReadAllBytes(path);
            using (FileStream stream = File.OpenWrite(path))
            {
                stream.SetLength(1L << 40);
            }

            AssertRefused(SnapshotFileProblem.NotASnapshot);
            File.WriteAllBytes(path, content);
        }
    }

    [Test]
    public void A_file_that_cannot_be_opened_is_typed()
    {
        Save();
        File.Delete(Path.Combine(Target, "index.json"));
        Directory.CreateDirectory(Path.Combine(Target, "index.json"));

        Assert.That(AssertRefused(SnapshotFileProblem.Access).InnerException, Is.Not.Null);
    }

    [Test]
    public void Any_changed_byte_is_found_or_does_not_matter()
    {
        ulong seed = TestSettings.ChooseSeed(out _);
        var random = new Random((int)(seed >> 20));
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        snapshot.Save(Target);
        string[] files = Directory.GetFiles(Target, "*", SearchOption.AllDirectories);
        var endings = new SortedDictionary<string, int>();
        for (int i = 0; i < 1000; i++)
        {
            string file = files[random.Next(files.Length)];
            byte[] content = File.ReadAllBytes(file);
            if (content.Length == 0)
            {
                continue;
            }

            byte[] changed = [.. content];
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(file, changed);
            string ending;
            try
            {
                using Snapshot loaded = Load();
                AssertSame(loaded.Content, snapshot.Content);
                ending = "same";
            }
            catch (SnapshotFileException exception)
            {
                ending = exception.Problem.ToString();
            }

            endings[ending] = endings.GetValueOrDefault(ending) + 1;
            File.WriteAllBytes(file, content);
        }

        TestContext.Out.WriteLine(string.Join(", ", endings.Select(e => $"{e.Key} {e.Value}")));
        Assert.That(endings.GetValueOrDefault("Corrupted"), Is.GreaterThan(100));
    }

    [Test]
    public void A_reader_finds_a_snapshot_at_any_moment_of_saving()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        first.Save(Target);
        Change();
        using Snapshot second = Sandbox.TakeSnapshot();
        ulong[] generations = [first.Generation, second.Generation];
        using var stop = new CancellationTokenSource();
        Task saving = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                second.Save(Target);
                first.Save(Target);
            }
        });

        var seen = new HashSet<ulong>();
        for (int i = 0; i < 300 || (seen.Count < 2 && i < 10_000); i++)
        {
            using Snapshot loaded = Load();
            Assert.That(generations, Has.Member(loaded.Generation));
            seen.Add(loaded.Generation);
        }

        stop.Cancel();
        saving.GetAwaiter().GetResult();
        Assert.That(seen, Has.Count.EqualTo(2), "the tag went back and forth meanwhile");
    }

    [Test]
    public void A_refused_allocation_leaves_nothing()
    {
        Save();
        Guest.Hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Throws(new HypervisorException("mock", "mmap", 12, "no memory"));

        Assert.That(() => Load(), Throws.TypeOf<HypervisorException>());
        Assert.That(File.Exists(Path.Combine(Target, "index.json")));
        Directory.Delete(Target, recursive: true);
    }

    /// <summary>What this process has open in the test's directory.</summary>
    private IEnumerable<string> OpenFiles() => Directory.GetFiles("/proc/self/fd")
        .Select(f => new FileInfo(f).LinkTarget)
        .OfType<string>()
        .Where(t => t.StartsWith(Parent, StringComparison.Ordinal));

    private static void AssertSame(SnapshotContent actual, SnapshotContent expected)
    {
        Assert.That(actual.Processor with { Msrs = [] }, Is.EqualTo(expected.Processor with { Msrs = [], Special = expected.Processor.Special with { Cr3 = 0 } }));
        Assert.That(actual.Processor.Msrs, Is.EqualTo(expected.Processor.Msrs));
        Assert.That(actual.HostFunctions.Select(f => f.ToString()), Is.EqualTo(expected.HostFunctions.Select(f => f.ToString())));
        Assert.That(actual.Image.Layout, Is.EqualTo(expected.Image.Layout));
        Assert.That(actual.Image.Generation, Is.EqualTo(expected.Image.Generation));
        Assert.That(actual.Image.EntryPoint, Is.EqualTo(expected.Image.EntryPoint));
        Assert.That(actual.Image.PageTables.SequenceEqual(expected.Image.PageTables));
        Assert.That(Bytes(actual), Is.EqualTo(Bytes(expected)));
    }

    private static byte[] Bytes(SnapshotContent content)
    {
        byte[] bytes = new byte[content.Image.Pages.Size];
        content.Image.Pages.Read(0, bytes);
        return bytes;
    }

    private static SegmentRegister Segment(ushort number) => new()
    {
        Base = ulong.MaxValue - number,
        Limit = uint.MaxValue - number,
        Selector = (ushort)(ushort.MaxValue - number),
        Attributes = (ushort)(0xF0FF ^ (1 << (number % 8))),
    };
}
