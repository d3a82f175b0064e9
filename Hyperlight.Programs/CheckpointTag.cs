using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hyperlight.Abstractions;

namespace Hyperlight.Programs;

/// <summary>
/// The tag of a saved checkpoint: a digest of everything that the way to the checkpoint follows from. So a checkpoint of another program, image,
/// library or machine is never found.
/// </summary>
internal sealed class CheckpointTag : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private CheckpointTag()
    {
    }

    public static string Of(ProgramTemplate template, ProgramImageFile image, MultiUseSandbox sandbox)
    {
        using var tag = new CheckpointTag();
        tag.AddMachine(sandbox);
        tag.Add(image.Digest);
        tag.Add(ProgramRequest.WithoutChance(ProgramRequest.CreateForWarmUp(template), template));
        tag.AddDirectories(template.Directories);
        tag.Add(template.Tools.Select(static tool => tool.Name));
        tag.Add($"{template.Network is not null} {template.TrialInput is not null}");
        if (template.TrialInput is { } trial)
        {
            tag.AddTrial(trial, template);
        }

        return $"checkpoint-{Convert.ToHexStringLower(tag._hash.GetHashAndReset())}";
    }

    public void Dispose() => _hash.Dispose();

    private void AddMachine(MultiUseSandbox sandbox)
    {
        // The kernel, what it is called with, and what it calls, are part of the first; the layout of the memory of the second.
        IHypervisor hypervisor = sandbox.Hypervisor.Hypervisor;
        foreach (Type type in (Type[])[typeof(CheckpointTag), typeof(Snapshot), typeof(IHypervisor), hypervisor.GetType()])
        {
            Add(type.Module.ModuleVersionId.ToByteArray());
        }

        Add([hypervisor.Name, hypervisor.ProcessorVendor, hypervisor.GuestProcessor]);
        Add($"{sandbox.HasTimer} {sandbox.RandomSeed}");

        // Of the application too, which can add functions: without them, the snapshot does not fit.
        Add(sandbox.HostFunctionSignatures.Select(static signature => signature.ToString()));
    }

    private void AddDirectories(IReadOnlyDictionary<string, ProgramDirectory> directories)
    {
        Add(directories.Keys.Order(StringComparer.Ordinal));
        foreach ((_, ProgramDirectory directory) in directories.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            Add($"{directory.IsWritable} {directory.MaximumBytes} {directory.MaximumFiles}");
            Add(Path.GetFullPath(directory.Path));
        }
    }

    private void AddTrial(ProgramInput trial, ProgramTemplate template)
    {
        Add(ProgramRequest.WithoutChance(ProgramRequest.Create(template, trial), template));
        Add(trial.StandardInput.Span);
        Add(trial.Files.Keys.Order(StringComparer.Ordinal));
        foreach ((_, ReadOnlyMemory<byte> bytes) in trial.Files.OrderBy(static file => file.Key, StringComparer.Ordinal))
        {
            Add(bytes.Span);
        }

        Add(trial.OutputDirectories);
        Add(trial.Tools.Select(static tool => tool.Name));
        Add((trial.Network ?? template.Network)?.AllowedHosts ?? []);
    }

    /// <summary>A list, with the number of its elements: what follows is none of them.</summary>
    private void Add(IEnumerable<string> texts)
    {
        string[] all = [.. texts];
        Add($"{all.Length}");
        foreach (string text in all)
        {
            Add(text);
        }
    }

    private void Add(string text) => Add(Encoding.UTF8.GetBytes(text));

    private void Add(ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        _hash.AppendData(length);
        _hash.AppendData(bytes);
    }
}
