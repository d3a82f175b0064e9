using System.Text.Json.Serialization;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Where a snapshot belongs. Read before the rest, whose fields depend on it.</summary>
internal sealed record ConfigOrigin(string HyperlightVersion, string Arch, uint DotnetFormatVersion, string Hypervisor, string CpuVendor);

/// <summary>The configuration of a saved snapshot: everything but its memory.</summary>
internal sealed record ConfigDocument(
    string HyperlightVersion,
    string Arch,
    uint DotnetFormatVersion,
    string Hypervisor,
    string CpuVendor,
    ulong StackTopGva,
    ulong EntrypointAddr,
    ulong OriginalEntrypointAddr,
    SpecialRegistersDocument Sregs,
    IReadOnlyList<MsrDocument> Msrs,
    LayoutDocument Layout,
    ulong MemorySize,
    IReadOnlyList<HostFunctionDocument> HostFunctions,
    ulong SnapshotGeneration)
{
    /// <summary>Files that the memory refers to. Snapshots of most guests have none, and no such field.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MappedFileDocument>? MappedFiles { get; init; }
}

/// <summary>A mapped file, which a sandbox must have at the same place.</summary>
internal sealed record MappedFileDocument(string Label, ulong GuestAddress, ulong Size);

/// <summary>The sizes of a guest's memory. The memory blob is the image, and behind it the page tables.</summary>
internal sealed record LayoutDocument(
    int InputDataSize,
    int OutputDataSize,
    ulong HeapSize,
    ulong CodeSize,
    int InitDataSize,
    uint? InitDataPermissions,
    ulong ScratchSize,
    ulong SnapshotSize,
    ulong? PtSize);

/// <summary>A host function that the guest may call.</summary>
internal sealed record HostFunctionDocument(string FunctionName, IReadOnlyList<string> ParameterTypes, string ReturnType);

/// <summary>A model-specific register.</summary>
internal sealed record MsrDocument(uint Index, ulong Value);

/// <summary>Segment, descriptor-table and control registers. CR3 follows from the layout.</summary>
internal sealed record SpecialRegistersDocument(
    SegmentDocument Cs,
    SegmentDocument Ds,
    SegmentDocument Es,
    SegmentDocument Fs,
    SegmentDocument Gs,
    SegmentDocument Ss,
    SegmentDocument Tr,
    SegmentDocument Ldt,
    TableDocument Gdt,
    TableDocument Idt,
    ulong Cr0,
    ulong Cr2,
    ulong Cr4,
    ulong Cr8,
    ulong Efer,
    ulong ApicBase,
    IReadOnlyList<ulong> InterruptBitmap);

/// <summary>A segment register, its attributes one by one.</summary>
internal sealed record SegmentDocument(
    ulong Base,
    uint Limit,
    ushort Selector,
    [property: JsonPropertyName("type_")] byte Type,
    byte Present,
    byte Dpl,
    byte Db,
    byte S,
    byte L,
    byte G,
    byte Avl,
    byte Unusable,
    byte Padding);

/// <summary>GDTR or IDTR.</summary>
internal sealed record TableDocument(ulong Base, ushort Limit);

/// <summary>Reads and writes the configuration without reflection; a field that it does not know is an error.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = true)]
[JsonSerializable(typeof(ConfigDocument))]
internal sealed partial class ConfigJson : JsonSerializerContext;

/// <summary>What a configuration that this library does not read says about itself, as far as it says so.</summary>
internal sealed record ForeignConfigDocument(string? HyperlightVersion = null, uint? AbiVersion = null);

/// <summary>Reads the origin and nothing else.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ConfigOrigin))]
[JsonSerializable(typeof(ForeignConfigDocument))]
internal sealed partial class ConfigOriginJson : JsonSerializerContext;
