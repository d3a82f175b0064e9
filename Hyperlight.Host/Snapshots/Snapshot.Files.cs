using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;
using Hyperlight.Host.Snapshots.Files;

namespace Hyperlight;

/// <content>Snapshots in directories.</content>
public sealed partial class Snapshot
{
    /// <summary>The tag of a snapshot that was saved without another.</summary>
    public const string DefaultTag = "latest";

    /// <summary>
    /// Saves the snapshot to a directory in the OCI image layout. Other snapshots in the directory are kept; one with the
    /// same tag is replaced. Until the snapshot is saved completely, the directory keeps its previous contents, also if the
    /// process ends; a new directory appears complete. Threads and processes that save to one directory wait for each
    /// other.
    /// </summary>
    /// <remarks>
    /// The guest's memory is saved without encryption. Anyone who can read the directory can read this memory, and anyone
    /// who can write to it controls what guests that start from it do, within their sandboxes. What is created is for the
    /// process's user alone (modes 0700 and 0600, whatever the umask) on systems that have modes; on Windows it inherits the
    /// permissions of its directory. A directory that exists keeps its own. Symbolic links in the directory are not
    /// followed, and only regular files are opened.
    /// </remarks>
    /// <param name="path">
    /// The directory: a new one, an empty one, or one that snapshots were saved to before.
    /// </param>
    /// <param name="tag">
    /// The snapshot's name in the directory: 1 to 128 letters, digits, and <c>_</c>, <c>.</c>, <c>-</c>; the first is no
    /// <c>.</c> or <c>-</c>.
    /// </param>
    /// <returns>The digest of the saved snapshot, <c>sha256:</c> and 64 hexadecimal digits. Loading by the digest verifies the content.</returns>
    /// <exception cref="ArgumentException">The path is empty, or the tag is invalid.</exception>
    /// <exception cref="SnapshotFileException">The operating system refused, or the directory is something else.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public string Save(string path, string tag = DefaultTag) => SaveAs(path, tag, new SaveOptions());

    /// <summary>Saves the snapshot to a directory as the options say.</summary>
    /// <inheritdoc cref="Save"/>
    internal string SaveAs(string path, string tag, SaveOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OciReference.CheckTag(tag, nameof(tag));
        SnapshotContent content = Acquire();
        try
        {
            return SnapshotSaver.Save(content, path, tag, options);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Saving a snapshot", exception);
        }
        finally
        {
            content.Image.Release();
        }
    }

    /// <summary>
    /// Loads a snapshot from a directory. All content is verified by its digest, and the snapshot is checked to fit this
    /// machine. The directory is not used afterwards.
    /// </summary>
    /// <param name="path">The directory.</param>
    /// <param name="reference">
    /// The snapshot: a tag, or the digest that <see cref="Save"/> returned. The digest also verifies the content.
    /// </param>
    /// <param name="hypervisor">
    /// The driver of the sandboxes that will use it; <see langword="null"/> for this machine's driver of the kind that the
    /// snapshot was taken on.
    /// </param>
    /// <exception cref="ArgumentException">The path is empty, or the reference is neither tag nor digest.</exception>
    /// <exception cref="SnapshotFileException">
    /// There is no such snapshot, it is damaged, it does not fit this machine, or the operating system refused;
    /// <see cref="SnapshotFileException.Problem"/> says which.
    /// </exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    /// <exception cref="HostMemoryException">The process is out of memory.</exception>
    public static Snapshot Load(string path, string reference = DefaultTag, IHypervisor? hypervisor = null) =>
        LoadAs(path, reference, hypervisor, isPrivate: false);

    /// <summary>Loads a snapshot from a directory, with <paramref name="isPrivate"/> only if nobody else may write to it.</summary>
    /// <inheritdoc cref="Load"/>
    internal static Snapshot LoadAs(string path, string reference, IHypervisor? hypervisor, bool isPrivate)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OciReference parsed = OciReference.Parse(reference);
        try
        {
            return new Snapshot(SnapshotLoader.Load(path, parsed, name => hypervisor is null ? FindDriver(name) : Match(hypervisor, name), isPrivate));
        }
        catch (OutOfMemoryException exception)
        {
            throw new HostMemoryException("Loading a snapshot", exception);
        }
    }

    private static IHypervisor? Match(IHypervisor hypervisor, string name) => hypervisor.Name == name ? hypervisor : null;

    private static IHypervisor? FindDriver(string name)
    {
        HypervisorSelector selector = HypervisorSelector.Default;
        return selector.Hypervisors.Any(h => h.Name == name) ? selector.Select(name).Hypervisor : null;
    }
}
