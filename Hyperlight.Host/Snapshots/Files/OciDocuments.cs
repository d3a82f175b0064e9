using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>The file that says that a directory is an OCI image layout.</summary>
internal sealed record OciLayoutMarker(string ImageLayoutVersion);

/// <summary>What a directory holds. Written back with what others have put into it.</summary>
internal sealed record OciIndex(int SchemaVersion, IReadOnlyList<OciDescriptor> Manifests)
{
    public string? MediaType { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; set; }
}

/// <summary>Says where a blob is, and what.</summary>
internal sealed record OciDescriptor(string MediaType, string Digest, long Size)
{
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; set; }

    /// <summary>The tag, if it has one.</summary>
    [JsonIgnore]
    public string? Tag => Annotations?.GetValueOrDefault(OciNames.TagAnnotation);
}

/// <summary>One saved snapshot: its configuration, and its memory as the only layer.</summary>
internal sealed record OciManifest(int SchemaVersion, OciDescriptor Config, IReadOnlyList<OciDescriptor> Layers)
{
    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>Reads and writes the documents without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true)]
[JsonSerializable(typeof(OciLayoutMarker))]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciManifest))]
internal sealed partial class OciJson : JsonSerializerContext;

/// <summary>Writes a media type's '+' as people do: the documents never become part of a web page.</summary>
internal static class ReadableOciJson
{
    public static OciJson Instance { get; } = new(new JsonSerializerOptions(OciJson.Default.Options)
    {
        TypeInfoResolver = null,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
