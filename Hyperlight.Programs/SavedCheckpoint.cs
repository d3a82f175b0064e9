using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using System.Text;

namespace Hyperlight.Programs;

/// <summary>
/// A checkpoint in the directory of a template: a saved snapshot whose tag is a digest of everything that the way to the checkpoint follows
/// from. So a checkpoint of another program, image, library or machine is never found.
/// </summary>
/// <param name="directory">The directory.</param>
/// <param name="tag">The tag.</param>
internal sealed class SavedCheckpoint(string directory, string tag)
{
    /// <summary>What the request of a run has of chance, in bytes behind the size of the memory.</summary>
    private const int SeedOffset = sizeof(ulong);
    private const int SeedSize = 32;

    /// <returns><see langword="null"/> if the template has no directory.</returns>
    public static SavedCheckpoint? Of(ProgramTemplate template, ProgramImageFile image, KernelMachine machine) =>
        template.CheckpointDirectory is { } directory ? new SavedCheckpoint(directory, TagOf(template, image, machine.Sandbox)) : null;

    /// <returns><see langword="null"/> if it was not saved yet.</returns>
    /// <exception cref="SnapshotFileException">It cannot be loaded.</exception>
    public Snapshot? TryLoad(MultiUseSandbox sandbox)
    {
        try
        {
            return Snapshot.Load(directory, tag, sandbox.Hypervisor.Hypervisor);
        }
        catch (SnapshotFileException exception) when (exception.Problem == SnapshotFileProblem.NotFound)
        {
            return null;
        }
    }

    /// <exception cref="SnapshotFileException">It cannot be saved.</exception>
    public void Save(Snapshot snapshot) => snapshot.Save(directory, tag);

    private static string TagOf(ProgramTemplate template, ProgramImageFile image, MultiUseSandbox sandbox)
    {
        // It limits runs alone.
        template = template with { Limits = template.Limits with { SystemCalls = null } };
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        // The kernel, what it is called with, and what it calls, are part of the first; the layout of the memory of the second.
        Add(hash, typeof(SavedCheckpoint).Module.ModuleVersionId.ToByteArray());
        Add(hash, typeof(Snapshot).Module.ModuleVersionId.ToByteArray());
        Add(hash, sandbox.Hypervisor.Hypervisor.GetType().Module.ModuleVersionId.ToByteArray());
        Add(hash, sandbox.Hypervisor.Name);
        Add(hash, $"{sandbox.Hypervisor.Hypervisor.ProcessorVendor} {sandbox.HasTimer}");
        AddProcessor(hash);
        Add(hash, image.Digest);
        AddRequest(hash, ProgramRequest.Create(template, ProgramInput.Empty, isWarmUp: true), template);
        Add(hash, $"{template.Directories.Count} {template.Tools.Count} {template.Network is not null} {template.TrialInput is not null}");
        foreach ((string path, ProgramDirectory mounted) in template.Directories.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            Add(hash, path);
            Add(hash, $"{mounted.IsWritable} {mounted.MaximumBytes} {mounted.MaximumFiles}");
            Add(hash, Path.GetFullPath(mounted.Path));
        }

        foreach (ProgramTool tool in template.Tools)
        {
            Add(hash, tool.Name);
        }

        if (template.TrialInput is { } trial)
        {
            AddTrial(hash, trial, template);
        }

        return $"checkpoint-{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static void AddTrial(IncrementalHash hash, ProgramInput trial, ProgramTemplate template)
    {
        AddRequest(hash, ProgramRequest.Create(template, trial), template);
        Add(hash, trial.StandardInput.Span);
        foreach ((string path, ReadOnlyMemory<byte> bytes) in trial.Files.OrderBy(static file => file.Key, StringComparer.Ordinal))
        {
            Add(hash, path);
            Add(hash, bytes.Span);
        }

        foreach (string path in trial.OutputDirectories)
        {
            Add(hash, path);
        }
    }

    private static void AddRequest(IncrementalHash hash, byte[] request, ProgramTemplate template)
    {
        if (template.Seed is null)
        {
            request.AsSpan(SeedOffset, SeedSize).Clear();
        }

        Add(hash, request);
    }

    /// <summary>Programs choose code by the features of the processor when they start.</summary>
    private static void AddProcessor(IncrementalHash hash)
    {
        if (X86Base.IsSupported)
        {
            // Model and features; not which of the processors this is.
            (int model, _, int ecx, int edx) = X86Base.CpuId(1, 0);
            Add(hash, $"{model:X} {ecx:X} {edx:X}");
            foreach ((int leaf, int subleaf) in ((int, int)[])[(7, 0), (7, 1), (0xD, 0), (0xD, 1), (unchecked((int)0x8000_0001), 0)])
            {
                (int eax, int ebx, ecx, edx) = X86Base.CpuId(leaf, subleaf);
                Add(hash, $"{eax:X} {(leaf == 0xD ? 0 : ebx):X} {ecx:X} {edx:X}");
            }
        }
    }

    private static void Add(IncrementalHash hash, string text) => Add(hash, Encoding.UTF8.GetBytes(text));

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
