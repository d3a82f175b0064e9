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
    /// Saves the snapshot to a directory in the OCI image layout. Other snapshots in the directory stay; one of the same tag
    /// is replaced. The directory holds what it held before until the snapshot is saved completely, whatever happens
    /// meanwhile; a new directory appears complete. Threads and processes that save to one directory wait for each other.
    /// </summary>
    /// <remarks>
    /// The guest's memory is saved as it is: anyone who can read the directory can read what the guest held, and anyone who can
    /// write to it chooses what a sandbox that starts from it does, within the limits of any guest. Symbolic links in the
    /// directory are not followed, and nothing but regular files is opened.
    /// </remarks>
    /// <param name="path">
    /// The directory: a new one, an empty one, or one that snapshots were saved to before.
    /// </param>
    /// <param name="tag">
    /// The snapshot's name in the directory: 1 to 128 letters, digits, and <c>_</c>, <c>.</c>, <c>-</c>; the first is no
    /// <c>.</c> or <c>-</c>.
    /// </param>
    /// <returns>The digest of the saved snapshot, <c>sha256:</c> and 64 hexadecimal digits. It finds this very snapshot.</returns>
    /// <exception cref="ArgumentException">The path is empty, or the tag is none.</exception>
    /// <exception cref="SnapshotFileException">The operating system refused, or the directory is something else.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed.</exception>
    /// <exception cref="HostMemoryException">The process has not enough memory.</exception>
    public string Save(string path, string tag = DefaultTag)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OciReference.CheckTag(tag, nameof(tag));
        SnapshotContent content = Acquire();
        try
        {
            return SnapshotSaver.Save(content, path, tag, OciGarbage.Grace);
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
    /// Loads a snapshot from a directory. Everything is checked against its digest, and the snapshot against this machine;
    /// nothing of the directory is used any more afterwards.
    /// </summary>
    /// <param name="path">The directory.</param>
    /// <param name="reference">
    /// Which of its snapshots: a tag, or the digest that <see cref="Save"/> returned, which is proof of the content too.
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
    /// <exception cref="HypervisorException">The operating system refused the memory.</exception>
    /// <exception cref="HostMemoryException">The process has not enough memory.</exception>
    public static Snapshot Load(string path, string reference = DefaultTag, IHypervisor? hypervisor = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OciReference parsed = OciReference.Parse(reference);
        try
        {
            return new Snapshot(SnapshotLoader.Load(path, parsed, name => hypervisor is null ? FindDriver(name) : Match(hypervisor, name)));
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
