using System.Text.Json.Nodes;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Host.Snapshots.Files;

namespace Hyperlight.Tests.Integration;

/// <summary>Guests that go on from a directory.</summary>
internal sealed class SavedSnapshotTests(TestTarget target) : GuestTest(target)
{
    private TestFiles _files = null!;

    private string Path => System.IO.Path.Combine(_files.Directory, "snapshots");

    [SetUp]
    public void CreateFiles() => _files = new TestFiles();

    [TearDown]
    public void DeleteFiles() => _files.Dispose();

    [Test]
    public void A_sandbox_continues_from_the_saved_state()
    {
        Sandbox.Call<int>("IncrementCounter");
        Save();
        Sandbox.Dispose();

        using Snapshot loaded = Load();
        MultiUseSandbox first = Build(b => b.WithSnapshot(loaded));
        MultiUseSandbox second = Build(b => b.WithSnapshot(loaded));

        Assert.That(first.Call<int>("IncrementCounter"), Is.EqualTo(2));
        Assert.That(second.Call<int>("IncrementCounter"), Is.EqualTo(2), "neither sees the other's writes");
        Assert.That(first.Call<ulong>("GetGeneration"), Is.EqualTo(loaded.Generation));
        Assert.That(first.Call<string>("EchoString", "hello"), Is.EqualTo("hello"));
    }

    [Test]
    public void A_loaded_snapshot_is_restored_into_a_sandbox_of_the_same_guest_and_back()
    {
        using Snapshot here = Sandbox.TakeSnapshot();
        MultiUseSandbox other = Build(_ => { });
        other.Call<int>("IncrementCounter");
        other.Call<int>("IncrementCounter");
        using (Snapshot snapshot = other.TakeSnapshot())
        {
            snapshot.Save(Path);
        }

        using Snapshot loaded = Load();
        Sandbox.Restore(loaded);
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.EqualTo(2));
        Sandbox.Restore(here);
        Assert.That(Sandbox.Call<int>("GetCounter"), Is.Zero);
    }

    [Test]
    public void The_driver_is_found_by_its_name()
    {
        if (Target.IsSimulated)
        {
            Assert.Ignore($"The name '{Target.Hypervisor.Name}' is that of the driver for real hardware, and this is a simulation.");
        }

        Save();

        using Snapshot loaded = Snapshot.Load(Path);

        Assert.That(loaded.Hypervisor, Is.EqualTo(Target.Hypervisor.Name));
    }

    [Test]
    public void A_snapshot_of_the_loaded_one_counts_on()
    {
        Save();
        using Snapshot loaded = Load();
        MultiUseSandbox sandbox = Build(b => b.WithSnapshot(loaded));
        sandbox.Call<int>("IncrementCounter");

        using Snapshot next = sandbox.TakeSnapshot();
        next.Save(Path, "next");
        using Snapshot again = Snapshot.Load(Path, "next", Target.Hypervisor);

        Assert.That(again.Generation, Is.EqualTo(loaded.Generation + 1));
        Assert.That(Build(b => b.WithSnapshot(again)).Call<int>("GetCounter"), Is.EqualTo(1));
    }

    [Test]
    public void Another_guests_snapshot_is_refused_by_its_layout()
    {
        using Snapshot other = Build(b => b.WithConfiguration(new SandboxConfiguration { HeapSize = 0x30000 })).TakeSnapshot();
        other.Save(Path);
        using Snapshot loaded = Load();

        Assert.That(() => Sandbox.Restore(loaded), Throws.TypeOf<SnapshotMismatchException>());
        AssertUsable();
    }

    [Test]
    public void Memory_of_a_loaded_snapshot_goes_with_its_last_user()
    {
        Save();
        Snapshot loaded = Load();
        MultiUseSandbox sandbox = Build(b => b.WithSnapshot(loaded));
        IMemoryRegion pages = loaded.Content.Image.Pages;

        loaded.Dispose();
        Assert.That(pages.Handle.IsClosed, Is.False);
        Assert.That(sandbox.Call<int>("IncrementCounter"), Is.EqualTo(1));
        sandbox.Dispose();
        Assert.That(pages.Handle.IsClosed);
    }

    /// <summary>
    /// Anyone who can write to a directory chooses the guest's memory, page tables and registers. The host is as safe from that
    /// as from any guest: each ends in a result or a typed error.
    /// </summary>
    [Test]
    public void A_manipulated_snapshot_ends_in_a_result_or_a_typed_error()
    {
        var random = new Random((int)(TestSettings.ChooseSeed(out _) >> 20));
        using Snapshot here = Sandbox.TakeSnapshot();
        Save();
        var saved = new SavedDirectory(Path);
        string config = saved.Config.ToJsonString();
        byte[] memory = saved.Memory;
        var endings = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < (Target.Hypervisor.Name == "emulator" ? 300 : 60); i++)
        {
            saved.Change(s => Corrupt(s, random, config, memory));
            string ending = Try(here);
            endings[ending] = endings.GetValueOrDefault(ending) + 1;
        }

        TestContext.Out.WriteLine(string.Join(", ", endings.Select(e => $"{e.Key} {e.Value}")));
        Sandbox.Restore(here);
        AssertUsable();
    }

    private static void Corrupt(SavedDirectory saved, Random random, string config, byte[] memory)
    {
        JsonObject original = JsonNode.Parse(config)!.AsObject();
        foreach (string name in original.Select(p => p.Key).ToArray())
        {
            saved.Config[name] = original[name]!.DeepClone();
        }

        saved.Memory = [.. memory];
        if (random.Next(2) == 0)
        {
            // Page tables are at the end, and 8 bytes are an entry.
            int tables = saved.Config["layout"]!["pt_size"]!.GetValue<int>();
            for (int i = 0; i < 8; i++)
            {
                random.NextBytes(saved.Memory.AsSpan(memory.Length - tables + (8 * random.Next(tables / 8)), 8));
                saved.Memory[random.Next(memory.Length)] ^= (byte)random.Next(256);
            }
        }

        JsonObject registers = saved.Config["sregs"]!.AsObject();
        for (int i = random.Next(4); i > 0; i--)
        {
            string name = registers.Select(p => p.Key).ElementAt(random.Next(registers.Count));
            registers[name] = Mutate(registers[name]!, random);
        }

        if (random.Next(3) == 0)
        {
            saved.Config["entrypoint_addr"] = (ulong)random.NextInt64();
            saved.Config["stack_top_gva"] = (ulong)random.NextInt64() & ~0xFUL;
        }
    }

    private static JsonNode Mutate(JsonNode node, Random random)
    {
        switch (node)
        {
            case JsonObject fields:
                JsonNode copy = fields.DeepClone();
                string name = fields.Select(f => f.Key).ElementAt(random.Next(fields.Count));
                copy[name] = name is "base" or "limit" or "selector" ? random.Next(65536) : random.Next(16);
                return copy;
            case JsonArray words:
                return words.DeepClone();
            default:
                return node.GetValue<ulong>() ^ (1UL << random.Next(64));
        }
    }

    private string Try(Snapshot here)
    {
        try
        {
            using Snapshot loaded = Load();
            try
            {
                Sandbox.Restore(loaded);
                _ = Sandbox.Call<int>("Add", [20, 22], TimeSpan.FromMilliseconds(300));
                using Snapshot again = Sandbox.TakeSnapshot();
                return "result";
            }
            finally
            {
                Sandbox.Restore(here);
            }
        }
        catch (Exception exception) when (exception is HyperlightException or OperationCanceledException)
        {
            return exception.GetType().Name;
        }
    }

    private void Save()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        snapshot.Save(Path);
    }

    private Snapshot Load() => Snapshot.Load(Path, hypervisor: Target.Hypervisor);
}
