using System.Globalization;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Describes a snapshot in the fields of the format.</summary>
internal static class ConfigWriter
{
    /// <summary>What this library calls itself, in every version.</summary>
    public const string Product = "Hyperlight for .NET";

    private static readonly string Version = $"{Product} {typeof(ConfigWriter).Assembly.GetName().Version?.ToString(3)}";

    public static ConfigDocument Describe(SnapshotContent content)
    {
        GuestImage image = content.Image;
        GuestMemoryLayout layout = image.Layout;
        ProcessorState processor = content.Processor;
        var pageTableSize = (ulong)image.PageTables.Length;
        return new ConfigDocument(
            Version,
            OciNames.Architecture,
            OciNames.FormatVersion,
            content.Hypervisor,
            content.ProcessorVendor,
            processor.StackPointer,
            processor.DispatchAddress,
            image.EntryPoint,
            RegisterDocuments.From(processor.Special),
            [.. processor.Msrs.Select(static m => new MsrDocument(m.Index, m.Value))],
            new LayoutDocument(
                layout.InputBufferSize,
                layout.OutputBufferSize,
                layout.HeapSize,
                layout.CodeSize,
                layout.InitDataSize,
                (uint)layout.InitDataFlags,
                layout.ScratchSize,
                image.Pages.Size,
                pageTableSize),
            image.Pages.Size + pageTableSize,
            [.. content.HostFunctions.Select(FunctionDocuments.From)],
            image.Generation)
        {
            MappedFiles = content.Mappings.Count == 0
                ? null
                : [.. content.Mappings.Select(static file => new MappedFileDocument(file.Label, file.GuestAddress, file.Size))],
        };
    }

    /// <summary>What the fields have no place for.</summary>
    public static IReadOnlyDictionary<string, string>? Annotate(SnapshotContent content)
    {
        var annotations = new Dictionary<string, string>();
        if (content.Processor.Xcr0 is { } xcr0)
        {
            annotations.Add(OciNames.Xcr0Annotation, "0x" + xcr0.ToString("x", CultureInfo.InvariantCulture));
        }

        if (content.Processor.TimeStamp is { } timeStamp)
        {
            annotations.Add(OciNames.TimeStampAnnotation, "0x" + timeStamp.ToString("x", CultureInfo.InvariantCulture));
        }

        if (content.Image.Layout.HasFileMappingTable)
        {
            annotations.Add(OciNames.FileMappingTableAnnotation, "true");
        }

        if (content.Image.Layout.HeapFlags.HasFlag(MemoryFlags.Execute))
        {
            annotations.Add(OciNames.ExecutableHeapAnnotation, "true");
        }

        return annotations.Count > 0 ? annotations : null;
    }
}
