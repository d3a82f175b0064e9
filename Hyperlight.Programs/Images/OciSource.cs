using System.Text.Json;
using Hyperlight.Host.Snapshots.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>
/// A container image in a directory of the OCI image layout. The index names a manifest, and that the layers. Each of them is checked
/// against its digest before it is used.
/// </summary>
/// <param name="path">The directory.</param>
/// <param name="reference">A tag, or a manifest's digest; <see langword="null"/> for the only image for x86-64 Linux.</param>
internal sealed class OciSource(string path, OciReference? reference) : ImageSource
{
    private const string DockerIndexType = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>An index may be in an index.</summary>
    private const int MostIndexes = 16;

    private static readonly string[] LayerTypes =
    [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ];

    public override void AddTo(ImageBuild build)
    {
        try
        {
            using OciDirectory directory = OciDirectory.TryOpen(path) ?? throw build.Fail("there is no such directory");
            if (!directory.HasMarker())
            {
                throw build.Fail($"it has no file '{OciNames.LayoutFile}': it is not an OCI image layout");
            }

            OciIndex index = directory.ReadIndex() ?? throw build.Fail($"it has no file '{OciNames.IndexFile}'");
            OciDescriptor descriptor = FindManifest(build, directory, index);
            OciManifest manifest = directory.Parse(Read(build, directory, descriptor), "manifest", OciJson.Default.OciManifest);
            foreach (OciDescriptor layer in manifest.Layers)
            {
                AddLayer(build, directory, layer);
            }
        }
        catch (SnapshotFileException exception)
        {
            throw build.Fail(exception.Details.TrimEnd('.'), exception);
        }
    }

    private OciDescriptor FindManifest(ImageBuild build, OciDirectory directory, OciIndex index)
    {
        List<OciDescriptor> candidates = [.. index.Manifests.Where(m => reference is not { } wanted || wanted.Matches(m))];
        for (int count = 0; count < MostIndexes; count++)
        {
            if (candidates.Count > 1)
            {
                candidates.RemoveAll(static descriptor => !IsForLinux(descriptor));
            }

            // An image may have several tags.
            candidates = [.. candidates.DistinctBy(static descriptor => descriptor.Digest)];
            if (candidates.Count != 1)
            {
                string tags = string.Join(", ", index.Manifests.Select(static manifest => manifest.Tag ?? manifest.Digest));
                throw build.Fail(
                    $"it has {candidates.Count} images for x86-64 Linux{(reference is { } wanted ? $" of the reference '{wanted.Text}'" : "")}; "
                    + $"its index has: {ProgramImageException.Printable(tags)}");
            }

            if (candidates[0].MediaType is not (OciNames.IndexMediaType or DockerIndexType))
            {
                return candidates[0];
            }

            candidates = [.. directory.Parse(Read(build, directory, candidates[0]), "index", OciJson.Default.OciIndex).Manifests];
        }

        throw build.Fail("its indexes contain one another");
    }

    private static byte[] Read(ImageBuild build, OciDirectory directory, OciDescriptor descriptor) =>
        directory.ReadDocument(descriptor, "manifest") ?? throw build.Fail($"its blob {descriptor.Digest} is missing");

    /// <summary>A descriptor without a platform may be for any.</summary>
    private static bool IsForLinux(OciDescriptor descriptor)
    {
        if (descriptor.Others is null || !descriptor.Others.TryGetValue("platform", out JsonElement platform))
        {
            return true;
        }

        return platform.ValueKind == JsonValueKind.Object && Is(platform, "os", "linux") && Is(platform, "architecture", "amd64");
    }

    private static bool Is(JsonElement platform, string name, string value) =>
        platform.TryGetProperty(name, out JsonElement element) && element.ValueKind == JsonValueKind.String && element.ValueEquals(value);

    private static void AddLayer(ImageBuild build, OciDirectory directory, OciDescriptor layer)
    {
        if (!LayerTypes.Contains(layer.MediaType))
        {
            throw build.Fail($"layers of the type '{ProgramImageException.Printable(layer.MediaType)}' are not supported");
        }

        using SafeFileHandle blob = directory.OpenBlob(layer, "layer") ?? throw build.Fail($"its layer {layer.Digest} is missing");
        using var file = new FileStream(blob, FileAccess.Read);
        OciDigest digest = directory.DigestOf(layer, "layer");
        if (ContentDigest.Copy(file, file.Length, null, 0, build.CancellationToken) != digest.Hex)
        {
            throw directory.Altered("layer", digest);
        }

        file.Position = 0;
        new ImageLayer(build, new ArchiveReader(build).Read(file)).Apply();
    }
}
