using System.Globalization;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Makes sense of a configuration, which may come from anyone. What is wrong with the guest's own addresses and registers
/// is left for the guest to run into. What sizes and allocates host memory is checked here, and so is a register that no
/// processor can hold.
/// </summary>
internal sealed class ConfigReader
{
    private const MemoryFlags AllFlags = MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute;

    // The type of a 64-bit task state segment that is in use.
    private const byte BusyTask = 0xB;

    private readonly OciDirectory _directory;
    private readonly ConfigDocument _config;

    /// <exception cref="SnapshotFileException">It is malformed, or of another version or architecture.</exception>
    public ConfigReader(OciDirectory directory, byte[] content)
    {
        _directory = directory;
        Origin = directory.Parse(content, "configuration", ConfigOriginJson.Default.ConfigOrigin);
        if (Origin.Arch != OciNames.Architecture)
        {
            throw directory.Error(
                SnapshotFileProblem.Architecture,
                $"it is of a guest for '{Origin.Arch}', and guests for {OciNames.Architecture} can be run (it was saved by {Origin.HyperlightVersion}).");
        }

        if (Origin.DotnetFormatVersion != OciNames.FormatVersion)
        {
            throw directory.Error(
                SnapshotFileProblem.Version,
                $"it is of version {Origin.DotnetFormatVersion} of the format, and version {OciNames.FormatVersion} is known "
                + $"(it was saved by {Origin.HyperlightVersion}). Take the snapshot anew from the guest.");
        }

        _config = directory.Parse(content, "configuration", ConfigJson.Default.ConfigDocument);
    }

    /// <summary>Where the snapshot belongs.</summary>
    public ConfigOrigin Origin { get; }

    /// <summary>Bytes of the memory blob.</summary>
    public ulong MemorySize => _config.MemorySize;

    /// <summary>Bytes of the image, at the beginning of the memory blob.</summary>
    public ulong ImageSize => _config.Layout.SnapshotSize;

    /// <summary>Guest virtual address at which the guest was entered when it was fresh.</summary>
    public ulong EntryPoint => _config.OriginalEntrypointAddr;

    /// <summary>How many snapshots led to this one.</summary>
    public ulong Generation => _config.SnapshotGeneration;

    /// <summary>Lays out the guest's memory and checks every size against it.</summary>
    /// <exception cref="SnapshotFileException">The sizes contradict each other, or are larger than a guest's can be.</exception>
    public GuestMemoryLayout Layout(IReadOnlyDictionary<string, string>? annotations)
    {
        LayoutDocument sizes = _config.Layout;
        ulong pageTableSize = sizes.PtSize ?? 0;
        Check(Generation > 0, $"its generation is {Generation}");
        Check(ImageSize > 0 && GuestPage.IsAligned(ImageSize), $"its image has {ImageSize} bytes");
        Check(pageTableSize > 0 && GuestPage.IsAligned(pageTableSize), $"its page tables have {pageTableSize} bytes");
        Check(
            ImageSize <= GuestAddresses.MaximumImageSize && pageTableSize <= int.MaxValue && ImageSize + pageTableSize == MemorySize,
            $"its memory has {MemorySize} bytes instead of {ImageSize} and {pageTableSize}");
        var flags = (MemoryFlags)(sizes.InitDataPermissions ?? (uint)MemoryFlags.Read);
        Check((flags & ~AllFlags) == 0, $"its init data has the permissions 0x{(uint)flags:X}");
        Check(sizes.InitDataSize >= 0, $"its init data has {sizes.InitDataSize} bytes");
        try
        {
            var configuration = new SandboxConfiguration
            {
                InputBufferSize = sizes.InputDataSize,
                OutputBufferSize = sizes.OutputDataSize,
                HeapSize = sizes.HeapSize,
                ScratchSize = sizes.ScratchSize,
                FileMappingTable = IsSet(annotations, OciNames.FileMappingTableAnnotation),
                ExecutableHeap = IsSet(annotations, OciNames.ExecutableHeapAnnotation),
            };
            GuestMemoryLayout layout = GuestMemoryLayout.Create(configuration, sizes.CodeSize, sizes.InitDataSize, flags);
            layout.CheckScratch(pageTableSize);
            return layout;
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or MemoryRequestException)
        {
            throw _directory.Error(SnapshotFileProblem.Corrupted, $"its layout is not one of a guest. {exception.Message}", exception);
        }
    }

    /// <summary>The vCPU.</summary>
    /// <exception cref="SnapshotFileException">It is not one that a guest has between two calls.</exception>
    public ProcessorState Processor(IReadOnlyDictionary<string, string>? annotations)
    {
        Check(_config.StackTopGva % 16 == 0, $"its stack pointer is 0x{_config.StackTopGva:X}, which is not a multiple of 16");
        SpecialRegisters special = RegisterDocuments.ToRegisters(_config.Sregs);

        // A processor in long mode loads no other segment here, and hypervisors differ in what they do with a vCPU that holds one.
        Check(IsBusyTask(special.Tr), $"its task register has the attributes 0x{special.Tr.Attributes:X}, which no processor in long mode loads");
        return new ProcessorState(
            _config.EntrypointAddr,
            _config.StackTopGva,
            special,
            Number(annotations, OciNames.Xcr0Annotation, "XCR0"),
            [.. _config.Msrs.Select(static m => new ModelSpecificRegister(m.Index, m.Value))],
            Number(annotations, OciNames.TimeStampAnnotation, "time-stamp counter"));
    }

    /// <summary>What the guest may call.</summary>
    /// <exception cref="SnapshotFileException">A signature has a type that does not exist, or two have one name.</exception>
    public IReadOnlyList<HostFunctionSignature> HostFunctions()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var signatures = new List<HostFunctionSignature>();
        foreach (HostFunctionDocument document in _config.HostFunctions)
        {
            HostFunctionSignature? signature = FunctionDocuments.ToSignature(document);
            Check(signature is not null, $"its host function '{document.FunctionName}' has a type that does not exist");
            Check(names.Add(document.FunctionName), $"it has two host functions '{document.FunctionName}'");
            signatures.Add(signature!);
        }

        return signatures;
    }

    /// <summary>Files that the memory refers to. Whether a sandbox has them is checked when the snapshot is restored into it.</summary>
    public IReadOnlyList<RetainedMapping> MappedFiles() =>
        [.. (_config.MappedFiles ?? []).Select(static file => new RetainedMapping(file.Label, file.GuestAddress, file.Size))];

    private static bool IsBusyTask(in SegmentRegister task) =>
        task.Type == BusyTask && !task.IsCodeOrData && task.IsPresent;

    private ulong? Number(IReadOnlyDictionary<string, string>? annotations, string annotation, string name)
    {
        if (annotations?.GetValueOrDefault(annotation) is not { } text)
        {
            return null;
        }

        ulong value = 0;
        Check(
            text.StartsWith("0x", StringComparison.Ordinal)
                && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value),
            $"its {name} is '{text}'");
        return value;
    }

    private bool IsSet(IReadOnlyDictionary<string, string>? annotations, string name)
    {
        string text = annotations?.GetValueOrDefault(name) ?? "false";
        Check(text is "true" or "false", $"its annotation {name} is '{text}'");
        return text == "true";
    }

    private void Check(bool holds, string problem)
    {
        if (!holds)
        {
            throw _directory.Error(SnapshotFileProblem.Corrupted, $"{problem}.");
        }
    }
}
