namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// The names by which a directory of saved snapshots describes itself: those of the OCI image layout, and those of this
/// library. The Rust host saves snapshots under other media types, and neither host can run what the other has saved.
/// </summary>
internal static class OciNames
{
    public const string LayoutFile = "oci-layout";
    public const string LayoutVersion = "1.0.0";
    public const string IndexFile = "index.json";

    /// <summary>The list of blobs that are to be removed.</summary>
    public const string GarbageFile = ".hyperlight.garbage";

    /// <summary>The file that a writer locks.</summary>
    public const string LockFile = ".hyperlight.lock";

    /// <summary>How the names of files end that are being written. A random name precedes it.</summary>
    public const string TemporaryEnding = ".hyperlight.tmp";

    public const string BlobDirectory = "blobs";
    public const string DigestAlgorithm = "sha256";
    public const int SchemaVersion = 2;

    public const string IndexMediaType = "application/vnd.oci.image.index.v1+json";
    public const string ManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
    public const string TagAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>What every version of the configuration's media type starts with.</summary>
    public const string ConfigMediaTypeFamily = "application/vnd.hyperlight.dotnet.snapshot.config.";
    public const string ConfigMediaType = ConfigMediaTypeFamily + "v1+json";

    /// <summary>What every version of the memory's media type starts with.</summary>
    public const string MemoryMediaTypeFamily = "application/vnd.hyperlight.dotnet.snapshot.memory.";
    public const string MemoryMediaType = MemoryMediaTypeFamily + "v1";

    /// <summary>
    /// What the media types of the Rust host's configurations start with. Earlier versions of this library used them too.
    /// </summary>
    public const string ForeignConfigMediaTypeFamily = "application/vnd.hyperlight.snapshot.config.";

    // For tools that show what is in a directory; the configuration is what counts.
    public const string ArchitectureAnnotation = "dev.hyperlight.snapshot.arch";
    public const string HypervisorAnnotation = "dev.hyperlight.snapshot.hypervisor";
    public const string ProcessorVendorAnnotation = "dev.hyperlight.snapshot.cpu.vendor";

    // What the configuration has no field for. Annotations of the manifest, so that its digest covers them.
    public const string Xcr0Annotation = "dev.hyperlight.dotnet.xcr0";
    public const string TimeStampAnnotation = "dev.hyperlight.dotnet.time-stamp-counter";
    public const string FileMappingTableAnnotation = "dev.hyperlight.dotnet.file-mapping-table";
    public const string ExecutableHeapAnnotation = "dev.hyperlight.dotnet.executable-heap";

    /// <summary>
    /// The version of the contract between host and guest that the memory follows, and of the configuration's fields. The
    /// numbers are this library's own.
    /// </summary>
    public const uint FormatVersion = 1;

    /// <summary>The architecture of all guests.</summary>
    public const string Architecture = "x86_64";
}
