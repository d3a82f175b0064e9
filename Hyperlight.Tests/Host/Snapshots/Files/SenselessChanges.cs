using System.Text.Json.Nodes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>Changes by someone who knows the format, after which a saved snapshot makes no sense, and why it is refused then.</summary>
internal static class SenselessChanges
{
    public static TestCaseData<string, Action<SavedDirectory>, SnapshotFileProblem>[] All { get; } =
    [
        Case("a future index", s => s.Index["schemaVersion"] = 3, SnapshotFileProblem.Version),
        Case("an index of another type", s => s.Index["mediaType"] = "x/y", SnapshotFileProblem.Version),
        Case("a nested index", s => s.ManifestDescriptor["mediaType"] = "application/vnd.oci.image.index.v1+json", SnapshotFileProblem.NotASnapshot),
        Case("a future manifest", s => s.Manifest["schemaVersion"] = 3, SnapshotFileProblem.Version),
        Case("a manifest of another type", s => s.Manifest["mediaType"] = "x/y", SnapshotFileProblem.Version),
        Case("two layers", s => s.Manifest["layers"] = new JsonArray(s.MemoryDescriptor.DeepClone(), s.MemoryDescriptor.DeepClone()), SnapshotFileProblem.Corrupted),
        Case("a container image", s => s.ConfigDescriptor["mediaType"] = "application/vnd.oci.image.config.v1+json", SnapshotFileProblem.NotASnapshot),
        Case("a future configuration type", s => s.ConfigDescriptor["mediaType"] = "application/vnd.hyperlight.dotnet.snapshot.config.v2+json", SnapshotFileProblem.Version),
        Case("a future memory type", s => s.MemoryDescriptor["mediaType"] = "application/vnd.hyperlight.dotnet.snapshot.memory.v2", SnapshotFileProblem.Version),
        Case("a tar layer", s => s.MemoryDescriptor["mediaType"] = "application/vnd.oci.image.layer.v1.tar", SnapshotFileProblem.NotASnapshot),
        Case("a future format", s => { s.Config["dotnet_format_version"] = 2; s.Config["new_field"] = 1; }, SnapshotFileProblem.Version),
        Case("a former format", s => { s.Config["dotnet_format_version"] = 0; s.Config.Remove("msrs"); }, SnapshotFileProblem.Version),
        Case("a foreign architecture", s => { s.Config["arch"] = "aarch64"; s.Config["sregs"] = new JsonObject(); }, SnapshotFileProblem.Architecture),
        Case("an unknown field", s => s.Config["new_field"] = 1, SnapshotFileProblem.Corrupted),
        Case("a missing field", s => s.Config.Remove("msrs"), SnapshotFileProblem.Corrupted),
        Case("null", s => s.Config["sregs"] = null, SnapshotFileProblem.Corrupted),
        Case("a number that is too large", s => s.Config["sregs"]!["cs"]!["selector"] = 65536, SnapshotFileProblem.Corrupted),
        Case("a negative size", s => s.Config["layout"]!["init_data_size"] = -1, SnapshotFileProblem.Corrupted),
        Case("a generation of a fresh guest", s => s.Config["snapshot_generation"] = 0, SnapshotFileProblem.Corrupted),
        Case("a misaligned stack", s => s.Config["stack_top_gva"] = 8, SnapshotFileProblem.Corrupted),
        Case("a task register that is not present", s => s.Config["sregs"]!["tr"]!["present"] = 0, SnapshotFileProblem.Corrupted),
        Case("a task register of an idle task", s => s.Config["sregs"]!["tr"]!["type"] = 9, SnapshotFileProblem.Corrupted),
        Case("a task register of code", s => s.Config["sregs"]!["tr"]!["s"] = 1, SnapshotFileProblem.Corrupted),
        Case("no page tables", s => s.Config["layout"]!["pt_size"] = null, SnapshotFileProblem.Corrupted),
        Case("page tables of half a page", s => s.Config["layout"]!["pt_size"] = 2048, SnapshotFileProblem.Corrupted),
        Case("an image of no page", s => s.Config["layout"]!["snapshot_size"] = 0, SnapshotFileProblem.Corrupted),
        Case("an image of all pages", s => { s.Config["layout"]!["snapshot_size"] = 0xFFFF_FFFF_FFFF_F000; s.Config["memory_size"] = 0; }, SnapshotFileProblem.Corrupted),
        Case("more memory than there is", s => s.Config["memory_size"] = s.Memory.Length + 4096, SnapshotFileProblem.Corrupted),
        Case("a huge heap", s => s.Config["layout"]!["heap_size"] = ulong.MaxValue, SnapshotFileProblem.Corrupted),
        Case("huge code", s => s.Config["layout"]!["code_size"] = ulong.MaxValue, SnapshotFileProblem.Corrupted),
        Case("a tiny buffer", s => s.Config["layout"]!["input_data_size"] = 16, SnapshotFileProblem.Corrupted),
        Case("scratch memory that holds nothing", s => s.Config["layout"]!["scratch_size"] = 0x1000, SnapshotFileProblem.Corrupted),
        Case("unknown permissions", s => s.Config["layout"]!["init_data_permissions"] = 8, SnapshotFileProblem.Corrupted),
        Case("an unknown type", s => s.Config["host_functions"]![0]!["return_type"] = "u128", SnapshotFileProblem.Corrupted),
        Case("a void parameter", s => s.Config["host_functions"]![0]!["parameter_types"]![0] = "void", SnapshotFileProblem.Corrupted),
        Case("a function twice", s => s.Config["host_functions"]!.AsArray().Add(s.Config["host_functions"]![0]!.DeepClone()), SnapshotFileProblem.Corrupted),
        Case("XCR0 of words", s => s.Manifest["annotations"]!["dev.hyperlight.dotnet.xcr0"] = "three", SnapshotFileProblem.Corrupted),
        Case("a heap that may be executable", s => s.Manifest["annotations"]!["dev.hyperlight.dotnet.executable-heap"] = "maybe", SnapshotFileProblem.Corrupted),
        Case("a table that may be", s => s.Manifest["annotations"]!["dev.hyperlight.dotnet.file-mapping-table"] = "maybe", SnapshotFileProblem.Corrupted),
        Case("less memory", s => s.Memory = s.Memory[..^4096], SnapshotFileProblem.Corrupted),
        Case("two snapshots of one tag", s => s.Index["manifests"]!.AsArray().Add(Other(s.ManifestDescriptor)), SnapshotFileProblem.Corrupted),
    ];

    private static JsonNode Other(JsonNode descriptor)
    {
        JsonNode other = descriptor.DeepClone();
        other["digest"] = "sha256:" + new string('1', 64);
        return other;
    }

    private static TestCaseData<string, Action<SavedDirectory>, SnapshotFileProblem> Case(
        string what, Action<SavedDirectory> change, SnapshotFileProblem problem) =>
        new(what, change, problem) { TestName = $"Refused: {what}" };
}
