using System.Security.Cryptography;
using System.Text;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Writes a directory of the OCI image layout for a test.</summary>
internal sealed class OciLayout(string directory)
{
    public const string IndexType = "application/vnd.oci.image.index.v1+json";
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    public const string GzipLayerType = LayerType + "+gzip";

    public string Blobs { get; } = Path.Combine(directory, "blobs", "sha256");

    /// <summary>A descriptor of a blob, which is written.</summary>
    public string Blob(byte[] bytes, string type, string more = "")
    {
        string digest = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Directory.CreateDirectory(Blobs);
        File.WriteAllBytes(Path.Combine(Blobs, digest), bytes);
        return $$"""{"mediaType":"{{type}}","digest":"sha256:{{digest}}","size":{{bytes.Length}}{{more}}}""";
    }

    public string Manifest(string[] layers, string more = "")
    {
        string config = Blob("{}"u8.ToArray(), "application/vnd.oci.image.config.v1+json");
        string manifest = $$"""{"schemaVersion":2,"config":{{config}},"layers":[{{string.Join(",", layers)}}]}""";
        return Blob(Encoding.UTF8.GetBytes(manifest), ManifestType, more);
    }

    public string Index(string[] manifests, string more = "") => Blob(Encoding.UTF8.GetBytes(IndexText(manifests)), IndexType, more);

    public void Write(params string[] manifests)
    {
        File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllText(Path.Combine(directory, "index.json"), IndexText(manifests));
    }

    /// <summary>An image of layers without compression.</summary>
    public void WriteLayers(params TarFile[] layers) =>
        Write(Manifest([.. layers.Select(layer => Blob(layer.Bytes(), LayerType))]));

    private static string IndexText(string[] manifests) => $$"""{"schemaVersion":2,"manifests":[{{string.Join(",", manifests)}}]}""";
}
