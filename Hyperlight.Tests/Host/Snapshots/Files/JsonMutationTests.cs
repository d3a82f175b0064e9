using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hyperlight.Tests.Host.Files;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>
/// Every document of a saved snapshot, changed in every place in every way, with digests that fit: it is loaded and saved
/// over, or refused by the one exception that says so.
/// </summary>
[TestFixture]
internal sealed class JsonMutationTests : SavedSnapshotTest
{
    private const int SavingPeriod = 11;

    /// <summary>Segment registers and tables are alike.</summary>
    private static readonly string[] Alike = ["ds", "es", "fs", "gs", "ss", "tr", "ldt", "idt"];

    private readonly Dictionary<string, int> _endings = [];

    [Test]
    public void A_marker() => Run(
        JsonNode.Parse("""{"imageLayoutVersion":"1.0.0"}""")!, text => File.WriteAllText(Path.Combine(Target, "oci-layout"), text), saves: true);

    [Test]
    public void An_index() => Run(Saved().Index, text => File.WriteAllText(Path.Combine(Target, "index.json"), text), saves: true);

    [Test]
    public void A_manifest()
    {
        SavedDirectory saved = Saved();
        Run(saved.Manifest, text => WriteManifest(saved, text), saves: true);
    }

    [Test]
    public void A_configuration()
    {
        SavedDirectory saved = Saved();
        Run(
            saved.Config,
            text =>
            {
                WriteBlob(saved.ConfigDescriptor, text);
                WriteManifest(saved, saved.Manifest.ToJsonString());
            },
            saves: false);
    }

    private SavedDirectory Saved()
    {
        Save();
        return new SavedDirectory(Target);
    }

    private void Run(JsonNode document, Action<string> write, bool saves)
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        int count = 0;
        foreach ((string what, string text) in JsonMutations.Of(document, Alike))
        {
            if (!Directory.Exists(Target))
            {
                snapshot.Save(Target);
            }

            write(text);
            Deadline.Run(() => Try(() => Load().Dispose(), what, "loading"), what);

            // Saving waits for the disk: it is tried with some of the changes, others each time that the list changes.
            if (saves && count++ % SavingPeriod == 0)
            {
                Deadline.Run(() => Try(() => SaveOver(snapshot), what, "saving"), what);
                Directory.Delete(Target, recursive: true);
            }
        }

        TestContext.Out.WriteLine(string.Join(", ", _endings.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key} {e.Value}")));
        Assert.That(_endings.GetValueOrDefault("loading Corrupted"), Is.GreaterThan(10));
    }

    private void SaveOver(Snapshot snapshot)
    {
        snapshot.Save(Target, "other");
        snapshot.Save(Target);
        Load().Dispose();
    }

    private void Try(Action action, string what, string name)
    {
        string ending = "done";
        try
        {
            action();
        }
        catch (SnapshotFileException exception)
        {
            ending = exception.Problem.ToString();
        }
        catch (Exception exception)
        {
            Assert.Fail($"{name}, {what}: {exception}");
        }

        string key = $"{name} {ending}";
        _endings[key] = _endings.GetValueOrDefault(key) + 1;
    }

    private void WriteManifest(SavedDirectory saved, string text)
    {
        WriteBlob(saved.ManifestDescriptor, text);
        saved.WriteIndex();
    }

    private void WriteBlob(JsonObject descriptor, string text)
    {
        byte[] content = Encoding.UTF8.GetBytes(text);
        string hex = Convert.ToHexStringLower(SHA256.HashData(content));
        descriptor["digest"] = "sha256:" + hex;
        descriptor["size"] = content.Length;
        File.WriteAllBytes(Path.Combine(Target, "blobs", "sha256", hex), content);
    }
}
