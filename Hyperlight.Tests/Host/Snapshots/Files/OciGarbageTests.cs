using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hyperlight.Host.Snapshots.Files;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>What becomes of blobs that no tag leads to any more, if something is in the way, and how much work it takes.</summary>
[TestFixture]
internal sealed class OciGarbageTests : SavedSnapshotTest
{
    private string ListFile => Path.Combine(Target, ".hyperlight.garbage");

    [Test]
    public void The_old_snapshot_stays_if_its_blobs_cannot_be_noted()
    {
        string first = Save();
        Change();
        Directory.CreateDirectory(ListFile);

        Assert.That(() => Save(), Throws.TypeOf<SnapshotFileException>());

        Load(first).Dispose();
        using Snapshot latest = Load();
        Assert.That(latest.Generation, Is.EqualTo(1));
    }

    [Test]
    public void A_blob_that_cannot_be_removed_is_tried_again()
    {
        Save();
        string digest = "sha256:" + new string('0', 64);
        string blob = Path.Combine(Target, "blobs", "sha256", new string('0', 64));
        Directory.CreateDirectory(blob);
        File.WriteAllText(ListFile, $"{digest} 0\n");

        SaveAndCleanUp();
        Assert.That(File.ReadAllText(ListFile), Is.EqualTo($"{digest} 0\n"));

        Directory.Delete(blob);
        File.WriteAllText(blob, "x");
        SaveAndCleanUp();
        Assert.That(File.ReadAllText(ListFile), Is.Empty);
        Assert.That(blob, Does.Not.Exist);
    }

    [Test]
    public void A_list_that_grows_keeps_the_latest_and_can_be_read()
    {
        Save();
        var list = new StringBuilder();
        for (int i = 0; i < 13_000; i++)
        {
            list.Append("sha256:").Append(i.ToString("x64", null)).Append(" 0\n");
        }

        File.WriteAllText(ListFile, list.ToString());
        Assert.That(new FileInfo(ListFile).Length, Is.LessThan(OciDirectory.LargestDocument));
        using OciDirectory directory = Open();
        var saved = new SavedDirectory(Target);
        string digest = saved.ManifestDescriptor["digest"]!.GetValue<string>();

        string added = OciGarbage.Add(directory, directory.ReadIndex()!.Manifests);

        Assert.That(added, Does.Contain(digest));
        Assert.That(added, Has.Length.LessThan(OciDirectory.LargestDocument));
        Assert.That(added.Split('\n'), Has.Length.GreaterThan(8000));
    }

    [Test]
    public void A_manifest_that_is_named_often_is_read_once()
    {
        Save();
        var saved = new SavedDirectory(Target);
        Describe(saved, Pad(saved.Manifest), count: 3000);
        File.WriteAllText(ListFile, $"sha256:{new string('0', 64)} 0\n");
        using OciDirectory directory = Open();

        OciGarbage.Remove(directory, TimeSpan.Zero);
        OciGarbage.Add(directory, directory.ReadIndex()!.Manifests);

        // The index and the list twice or less, the manifest twice.
        Assert.That(directory.BytesRead, Is.LessThan(6 * OciDirectory.LargestDocument));
    }

    [Test]
    public void Of_many_large_manifests_only_some_are_read_and_none_is_removed()
    {
        Save();
        var saved = new SavedDirectory(Target);
        for (int i = 0; i < 40; i++)
        {
            JsonObject manifest = saved.Manifest.DeepClone().AsObject();
            manifest["number"] = i;
            Describe(saved, Pad(manifest), count: 1);
        }

        string blob = Path.Combine(Target, "blobs", "sha256", new string('0', 64));
        File.WriteAllText(blob, "x");
        File.WriteAllText(ListFile, $"sha256:{new string('0', 64)} 0\n");
        using OciDirectory directory = Open();

        Assert.That(OciGarbage.Remove(directory, TimeSpan.Zero), Is.Empty);

        Assert.That(directory.BytesRead, Is.LessThan(20 * OciDirectory.LargestDocument));
        Assert.That(blob, Does.Exist);
    }

    private OciDirectory Open() => OciDirectory.TryOpen(Target)!;

    private static byte[] Pad(JsonObject manifest)
    {
        JsonNode padded = manifest.DeepClone();
        padded["padding"] = new string('x', OciDirectory.LargestDocument - 4096);
        return Encoding.UTF8.GetBytes(padded.ToJsonString());
    }

    /// <summary>Writes a manifest, and an index that names it so many times more.</summary>
    private void Describe(SavedDirectory saved, byte[] manifest, int count)
    {
        string hex = Convert.ToHexStringLower(SHA256.HashData(manifest));
        File.WriteAllBytes(Path.Combine(Target, "blobs", "sha256", hex), manifest);
        for (int i = 0; i < count; i++)
        {
            saved.Index["manifests"]!.AsArray().Add(new JsonObject
            {
                ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
                ["digest"] = "sha256:" + hex,
                ["size"] = manifest.Length,
            });
        }

        saved.WriteIndex();
    }
}
