using Hyperlight.Host.Snapshots;

namespace Hyperlight;

/// <summary>
/// The state of a guest between two calls: all memory that it has mapped, at its virtual addresses, and its processor. A
/// snapshot can be restored any number of times, into any sandbox of the same guest, configuration and hypervisor, and new
/// sandboxes can start from it. All these sandboxes share its memory, which none of them can change. Immutable and
/// thread-safe.
/// </summary>
/// <remarks>
/// Disposing a snapshot releases its memory when no sandbox uses it any more; sandboxes that use it are not affected. Two
/// snapshots of an unchanged guest are equal and share their memory; each of them has to be disposed.
/// <para>
/// Sandboxes that start from one snapshot have the same state, including random numbers that the guest has drawn before.
/// Random numbers that it draws later differ, unless <see cref="SandboxConfiguration.RandomSeed"/> is set.
/// </para>
/// </remarks>
public sealed partial class Snapshot : IDisposable, IEquatable<Snapshot>
{
    private int _isDisposed;

    /// <summary>Takes over a reference on the content's image.</summary>
    internal Snapshot(SnapshotContent content) => Content = content;

    /// <summary>
    /// The number of snapshots that led to this one, including itself. Guests find it in their memory after a restore.
    /// </summary>
    public ulong Generation => Content.Image.Generation;

    /// <summary>The snapshot's guest memory in bytes, without page tables.</summary>
    public ulong Size => Content.Image.Pages.Size;

    /// <summary>The driver on which the snapshot was taken, such as <c>kvm</c>.</summary>
    public string Hypervisor => Content.Hypervisor;

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>What it stands for.</summary>
    internal SnapshotContent Content { get; }

    /// <summary>Releases the snapshot's memory when no sandbox uses it any more.</summary>
    /// <exception cref="HypervisorException">The operating system refused to release the memory.</exception>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Content.Image.Release();
        }
    }

    /// <summary>Whether both snapshots have the same captured state, by identity.</summary>
    /// <param name="other">Another snapshot.</param>
    public bool Equals(Snapshot? other) => other is not null && ReferenceEquals(Content, other.Content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Snapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Content);

    /// <summary>A further snapshot of the same content, or <see langword="null"/> if its memory is gone.</summary>
    internal static Snapshot? TryShare(SnapshotContent content) => content.Image.TryAddReference() ? new Snapshot(content) : null;

    /// <summary>Keeps the memory while it is used, also if the snapshot is disposed meanwhile. The image is released by the caller.</summary>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    internal SnapshotContent Acquire()
    {
        ObjectDisposedException.ThrowIf(IsDisposed || !Content.Image.TryAddReference(), this);
        return Content;
    }
}
