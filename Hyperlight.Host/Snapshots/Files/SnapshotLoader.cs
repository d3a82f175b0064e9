using System.Security.Cryptography;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Loads a snapshot from a directory, and checks everything about it before its memory is used.</summary>
internal sealed class SnapshotLoader
{
    private const int ChunkSize = 1 << 17;
    private const int MostAttempts = 100;

    /// <summary>How many tags an error lists.</summary>
    private const int MostTags = 20;

    private readonly OciDirectory _directory;
    private readonly OciReference _reference;
    private readonly Func<string, IHypervisor?> _findHypervisor;

    private SnapshotLoader(OciDirectory directory, OciReference reference, Func<string, IHypervisor?> findHypervisor)
    {
        _directory = directory;
        _reference = reference;
        _findHypervisor = findHypervisor;
    }

    /// <summary>Loads a snapshot.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="reference">Which of its snapshots.</param>
    /// <param name="findHypervisor">Gives the driver of a name, or <see langword="null"/> if it is not the one to use.</param>
    /// <param name="isPrivate">Whether a directory to which others may write is refused.</param>
    /// <returns>The snapshot, with a reference on its memory for the caller.</returns>
    /// <exception cref="SnapshotFileException">It cannot be loaded; the problem says why.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    public static SnapshotContent Load(string path, OciReference reference, Func<string, IHypervisor?> findHypervisor, bool isPrivate)
    {
        path = Path.GetFullPath(path);
        using OciDirectory directory = OciDirectory.TryOpen(path)
            ?? throw new SnapshotFileException(SnapshotFileProblem.NotFound, path, "there is no such directory.");
        if (isPrivate)
        {
            directory.CheckWriters();
        }

        return OciDirectory.Access(path, new SnapshotLoader(directory, reference, findHypervisor).Load);
    }

    private SnapshotContent Load()
    {
        // A blob may be missing because the tag went to another snapshot while this one was being read.
        OciDescriptor descriptor = Find();
        for (int attempt = 1; ; attempt++)
        {
            if (TryLoad(descriptor, out string missing) is { } content)
            {
                return content;
            }

            OciDescriptor current = Find();
            if (current.Digest == descriptor.Digest || attempt == MostAttempts)
            {
                throw _directory.Error(SnapshotFileProblem.Corrupted, $"the {missing} of the snapshot '{_reference.Text}' is missing.");
            }

            descriptor = current;
        }
    }

    /// <summary>Finds the descriptor of the manifest.</summary>
    private OciDescriptor Find()
    {
        if (!_directory.HasMarker())
        {
            throw WrittenFiles.IsEmptyOrUnfinished(_directory.Root)
                ? _directory.Error(SnapshotFileProblem.NotFound, "no snapshot was saved to it yet.")
                : _directory.Error(SnapshotFileProblem.NotASnapshot, "it is not an OCI image layout.");
        }

        if (_directory.ReadIndex() is not { } index)
        {
            throw _directory.Error(SnapshotFileProblem.NotFound, "no snapshot was saved to it yet: it has no index.");
        }

        OciDescriptor[] found = [.. index.Manifests.Where(_reference.Matches)];
        if (found.Length == 0)
        {
            string tags = string.Join(", ", index.Manifests.Select(static m => m.Tag).OfType<string>().Take(MostTags).Select(static t => $"'{t}'"));
            throw _directory.Error(
                SnapshotFileProblem.NotFound, $"it holds no snapshot '{_reference.Text}'; there are: {(tags.Length > 0 ? tags : "none")}.");
        }

        if (found.Any(d => d.Digest != found[0].Digest))
        {
            throw _directory.Error(SnapshotFileProblem.Corrupted, $"it holds several snapshots '{_reference.Text}'.");
        }

        return found[0].MediaType == OciNames.ManifestMediaType
            ? found[0]
            : throw _directory.Error(
                SnapshotFileProblem.NotASnapshot, $"'{_reference.Text}' is of the type '{found[0].MediaType}', not a manifest.");
    }

    private SnapshotContent? TryLoad(OciDescriptor descriptor, out string missing)
    {
        missing = "manifest";
        if (_directory.ReadDocument(descriptor, missing) is not { } manifestContent)
        {
            return null;
        }

        OciManifest manifest = _directory.Parse(manifestContent, missing, OciJson.Default.OciManifest);
        CheckManifest(manifest);

        // First of all: what is open stays, even if the tag goes to another snapshot and the blob is removed.
        missing = "memory";
        using SafeFileHandle? memory = _directory.OpenBlob(manifest.Layers[0], missing);
        if (memory is null)
        {
            return null;
        }

        missing = "configuration";
        if (_directory.ReadDocument(manifest.Config, missing) is not { } configContent)
        {
            return null;
        }

        var config = new ConfigReader(_directory, configContent);
        GuestMemoryLayout layout = config.Layout(manifest.Annotations);
        ProcessorState processor = config.Processor(manifest.Annotations);
        IReadOnlyList<HostFunctionSignature> functions = config.HostFunctions();
        IReadOnlyList<RetainedMapping> mappings = config.MappedFiles();
        IHypervisor hypervisor = FindHypervisor(config.Origin);
        if ((ulong)manifest.Layers[0].Size != config.MemorySize)
        {
            throw _directory.Error(
                SnapshotFileProblem.Corrupted, $"its memory has {manifest.Layers[0].Size} bytes; its configuration says {config.MemorySize}.");
        }

        GuestImage image = ReadImage(hypervisor, memory, _directory.DigestOf(manifest.Layers[0], "memory"), config, layout);
        return new SnapshotContent(
            image, processor, functions, config.Origin.Hypervisor, config.Origin.CpuVendor, Guest: null, _directory.Path)
        {
            Mappings = mappings,
        };
    }

    private void CheckManifest(OciManifest manifest)
    {
        _directory.CheckSchema(manifest.SchemaVersion, manifest.MediaType, OciNames.ManifestMediaType, "manifest");
        if (manifest.Config.MediaType.StartsWith(OciNames.ForeignConfigMediaTypeFamily, StringComparison.Ordinal))
        {
            throw ForeignSnapshot.Refuse(_directory, manifest.Config);
        }

        CheckType(manifest.Config.MediaType, OciNames.ConfigMediaType, OciNames.ConfigMediaTypeFamily);
        if (manifest.Layers.Count != 1)
        {
            throw _directory.Error(SnapshotFileProblem.Corrupted, $"its manifest has {manifest.Layers.Count} layers instead of one.");
        }

        CheckType(manifest.Layers[0].MediaType, OciNames.MemoryMediaType, OciNames.MemoryMediaTypeFamily);
    }

    private void CheckType(string mediaType, string expected, string family)
    {
        if (mediaType == expected)
        {
            return;
        }

        throw mediaType.StartsWith(family, StringComparison.Ordinal)
            ? _directory.Error(SnapshotFileProblem.Version, $"it holds '{mediaType}'; '{expected}' is known. Take the snapshot anew.")
            : _directory.Error(SnapshotFileProblem.NotASnapshot, $"'{_reference.Text}' holds '{mediaType}' instead of '{expected}'.");
    }

    private IHypervisor FindHypervisor(ConfigOrigin origin)
    {
        IHypervisor hypervisor;
        try
        {
            hypervisor = _findHypervisor(origin.Hypervisor)
                ?? throw _directory.Error(
                    SnapshotFileProblem.Hypervisor,
                    $"it was taken on '{origin.Hypervisor}', and there is no driver of that name to load it with. Take the snapshot anew.");
        }
        catch (HypervisorNotAvailableException exception)
        {
            throw _directory.Error(
                SnapshotFileProblem.Hypervisor, $"it was taken on {origin.Hypervisor}, which cannot be used here. {exception.Message}", exception);
        }

        return hypervisor.ProcessorVendor == origin.CpuVendor
            ? hypervisor
            : throw _directory.Error(
                SnapshotFileProblem.Processor,
                $"it was taken on a processor of '{origin.CpuVendor}'; guests find one of '{hypervisor.ProcessorVendor}' here. "
                + "Take the snapshot anew on this machine.");
    }

    private GuestImage ReadImage(
        IHypervisor hypervisor, SafeFileHandle memory, OciDigest expected, ConfigReader config, GuestMemoryLayout layout)
    {
        IMemoryRegion pages = hypervisor.AllocateMemory((nuint)config.ImageSize);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[nuint.Min(pages.Size, ChunkSize)];
            for (nuint offset = 0; offset < pages.Size; offset += (nuint)buffer.Length)
            {
                Span<byte> chunk = buffer.AsSpan(0, (int)nuint.Min(pages.Size - offset, (nuint)buffer.Length));
                Read(memory, (long)offset, chunk, hash);

                // Zeros are there already, and cost no memory as long as nobody touches them.
                if (chunk.ContainsAnyExcept((byte)0))
                {
                    pages.Write(offset, chunk);
                }
            }

            var tables = new byte[(int)(config.MemorySize - config.ImageSize)];
            Read(memory, (long)pages.Size, tables, hash);
            if (OciDigest.FromHash(hash.GetCurrentHash()) != expected)
            {
                throw _directory.Altered("memory", expected);
            }

            pages.MakeReadOnly();
            return new GuestImage(layout, pages, tables, config.EntryPoint, config.Generation);
        }
        catch
        {
            pages.Dispose();
            throw;
        }
    }

    private void Read(SafeFileHandle memory, long offset, Span<byte> destination, IncrementalHash hash)
    {
        for (int done = 0; done < destination.Length;)
        {
            int read = RandomAccess.Read(memory, destination[done..], offset + done);
            done += read > 0
                ? read
                : throw _directory.Error(SnapshotFileProblem.Truncated, "its memory was shortened while it was read.");
        }

        hash.AppendData(destination);
    }
}
