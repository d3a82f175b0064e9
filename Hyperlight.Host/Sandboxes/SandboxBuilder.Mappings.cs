using Hyperlight.Abstractions;

namespace Hyperlight;

/// <content>Files that every sandbox of a builder maps.</content>
public sealed partial class SandboxBuilder
{
    private readonly List<(string Path, ulong GuestAddress, string? Label)> _files = [];

    /// <summary>
    /// Maps a file into every sandbox that is built from now on, before its guest executes anything. The file is opened when
    /// a sandbox is built; sandboxes share its pages in the operating system's cache.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="label">The mapping's name, or <see langword="null"/> for the file name.</param>
    /// <exception cref="ArgumentException">The path or the label is invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or leaves guest physical space.</exception>
    /// <seealso cref="UninitializedSandbox.MapFile"/>
    public SandboxBuilder WithFileMapping(string path, ulong guestAddress, string? label = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        MappingLabel.Choose(path, label);
        GuestPhysicalSpace.CheckAddress(guestAddress);
        _files.Add((path, guestAddress, label));
        return this;
    }

    /// <summary>Maps the files of this builder into a sandbox. If that fails, the sandbox is disposed.</summary>
    internal void MapFiles(MultiUseSandbox sandbox) => WithMappings(sandbox);

    private UninitializedSandbox WithMappings(UninitializedSandbox sandbox) => WithMappings(
        sandbox, static (sandbox, path, guestAddress, label) => sandbox.MapFile(path, guestAddress, label));

    private MultiUseSandbox WithMappings(MultiUseSandbox sandbox) => WithMappings(
        sandbox, static (sandbox, path, guestAddress, label) => sandbox.MapFile(path, guestAddress, label));

    private TSandbox WithMappings<TSandbox>(TSandbox sandbox, Action<TSandbox, string, ulong, string?> mapFile)
        where TSandbox : IDisposable
    {
        try
        {
            foreach ((string path, ulong guestAddress, string? label) in _files)
            {
                mapFile(sandbox, path, guestAddress, label);
            }

            return sandbox;
        }
        catch
        {
            sandbox.Dispose();
            throw;
        }
    }
}
