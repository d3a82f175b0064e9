using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>A directory with one saved snapshot, changed as someone who knows the format would: all digests fit again.</summary>
internal sealed class SavedDirectory
{
    private readonly string _path;

    public SavedDirectory(string path)
    {
        _path = path;
        Index = Parse(File.ReadAllBytes(IndexFile));
        Manifest = Parse(Blob(ManifestDescriptor));
        Config = Parse(Blob(Manifest["config"]!));
        Memory = Blob(Manifest["layers"]![0]!);
    }

    public string IndexFile => Path.Combine(_path, "index.json");

    public JsonObject Index { get; }

    public JsonObject Manifest { get; }

    public JsonObject Config { get; }

    public byte[] Memory { get; set; }

    public JsonObject ManifestDescriptor => Index["manifests"]![0]!.AsObject();

    public JsonObject ConfigDescriptor => Manifest["config"]!.AsObject();

    public JsonObject MemoryDescriptor => Manifest["layers"]![0]!.AsObject();

    /// <summary>Changes something and writes everything.</summary>
    public void Change(Action<SavedDirectory> change)
    {
        change(this);
        Write(MemoryDescriptor, Memory);
        Write(ConfigDescriptor, Bytes(Config));
        Write(ManifestDescriptor, Bytes(Manifest));
        WriteIndex();
    }

    public void WriteIndex() => File.WriteAllBytes(IndexFile, Bytes(Index));

    public string BlobFile(JsonNode descriptor) =>
        Path.Combine(_path, "blobs", "sha256", descriptor["digest"]!.GetValue<string>()["sha256:".Length..]);

    private static JsonObject Parse(byte[] bytes) => JsonNode.Parse(bytes)!.AsObject();

    private static byte[] Bytes(JsonNode node) => System.Text.Encoding.UTF8.GetBytes(node.ToJsonString());

    private byte[] Blob(JsonNode descriptor) => File.ReadAllBytes(BlobFile(descriptor));

    private void Write(JsonObject descriptor, byte[] content)
    {
        descriptor["digest"] = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        descriptor["size"] = content.Length;
        File.WriteAllBytes(BlobFile(descriptor), content);
    }
}
