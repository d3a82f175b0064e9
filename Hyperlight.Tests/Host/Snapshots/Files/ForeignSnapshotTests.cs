using System.Text.Json.Nodes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>Snapshots that other hosts have saved, and earlier versions of this library: each is refused by its name.</summary>
[TestFixture]
internal sealed class ForeignSnapshotTests : SavedSnapshotTest
{
    private const string Family = "application/vnd.hyperlight.snapshot.";

    [TestCase("v1+json", 1, "0.16.0", "Hyperlight 0.16.0 for Rust")]
    [TestCase("v1+json", 2, "0.17.0", "Hyperlight 0.17.0 for Rust")]
    [TestCase("v3+json", 6, "0.19.0", "Hyperlight 0.19.0 for Rust")]
    [TestCase("v1+json", 2, "Hyperlight for .NET 0.1.0", "an earlier version of this library, Hyperlight for .NET 0.1.0")]
    public void A_foreign_snapshot_is_refused_by_name(string version, int abi, string savedBy, string name)
    {
        Plant(version, config =>
        {
            config["hyperlight_version"] = savedBy;
            config["abi_version"] = abi;
        });

        string message = AssertRefused(SnapshotFileProblem.Version).Message;

        Assert.That(message, Does.Contain(name).And.Contain($"'{Family}config.{version}', ABI version {abi}"));
        Assert.That(message, Does.Contain("'application/vnd.hyperlight.dotnet.snapshot.config.v1+json', version 1"));
        Assert.That(message, Does.Contain("Take the snapshot anew"));
    }

    [TestCase("""{"hyperlight_version":7}""")]
    [TestCase("""[]""")]
    [TestCase("""{}""")]
    public void A_foreign_snapshot_without_a_product_name_is_refused(string config)
    {
        Plant("v2+json", _ => { });
        var saved = new SavedDirectory(Target);
        File.WriteAllText(saved.BlobFile(saved.ConfigDescriptor), config);

        Assert.That(AssertRefused(SnapshotFileProblem.Version).Message, Does.Contain("another host of Hyperlight"));
    }

    [Test]
    public void The_product_name_in_the_message_has_one_line()
    {
        Plant("v1+json", config => config["hyperlight_version"] = "0.16\n" + new string('x', 1000));

        Assert.That(AssertRefused(SnapshotFileProblem.Version).Message, Does.Contain(@"0.16\nx").And.Not.Contain("\n").And.Length.LessThan(1000));
    }

    [Test]
    public void Other_hosts_refuse_our_snapshots()
    {
        Save();
        var saved = new SavedDirectory(Target);

        Assert.That(saved.ConfigDescriptor["mediaType"]!.GetValue<string>(), Does.Not.StartWith(Family));
        Assert.That(saved.MemoryDescriptor["mediaType"]!.GetValue<string>(), Does.Not.StartWith(Family));
        Assert.That(saved.Manifest["artifactType"]!.GetValue<string>(), Does.Not.StartWith(Family));
        Assert.That(saved.Config.ContainsKey("abi_version"), Is.False, "the field that other hosts look for");
    }

    [Test]
    public void A_snapshot_of_this_library_can_be_saved_in_the_same_directory()
    {
        Plant("v1+json", config => config["abi_version"] = 1);
        Change();

        Save("ours");

        Load("ours").Dispose();
        AssertRefused(SnapshotFileProblem.Version);
    }

    private void Plant(string version, Action<JsonObject> change)
    {
        Save();
        new SavedDirectory(Target).Change(s =>
        {
            s.Config.Remove("dotnet_format_version");
            change(s.Config);
            s.ConfigDescriptor["mediaType"] = $"{Family}config.{version}";
            s.MemoryDescriptor["mediaType"] = $"{Family}memory.v1";
            JsonObject transport = s.MemoryDescriptor.DeepClone().AsObject();
            transport["mediaType"] = $"{Family}transport.v1";
            if (version == "v3+json")
            {
                s.Manifest["layers"]!.AsArray().Add(transport);
            }
        });
    }
}
