using Hyperlight.Host.Snapshots;

namespace Hyperlight;

/// <summary>
/// A guest as it was between two calls: everything it has mapped, at the addresses it has mapped it, and its processor. It
/// can be restored any number of times, into any sandbox of the same guest, configuration and kind of hypervisor, and new
/// sandboxes can start from it. All of them share its memory, which none can change. Immutable and safe to share between
/// threads.
/// </summary>
/// <remarks>
/// Disposing a snapshot releases its memory once no sandbox uses it any more; sandboxes that use it are not affected. Two
/// snapshots of an unchanged guest are equal and share their memory, and each is disposed by itself.
/// <para>
/// Sandboxes that start from one snapshot are alike in everything, also in what the guest took for random.
/// </para>
/// </remarks>
public sealed partial class Snapshot : IDisposable, IEquatable<Snapshot>
{
    private int _isDisposed;

    /// <summary>Takes over a reference on the content's image.</summary>
    internal Snapshot(SnapshotContent content) => Content = content;

    /// <summary>How many snapshots led to this one, itself included: guests find it in their memory after a restore.</summary>
    public ulong Generation => Content.Image.Generation;

    /// <summary>Bytes of guest memory that the snapshot holds, without page tables.</summary>
    public ulong Size => Content.Image.Pages.Size;

    /// <summary>The kind of hypervisor it was taken on, such as <c>kvm</c>.</summary>
    public string Hypervisor => Content.Hypervisor;

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <summary>What it stands for.</summary>
    internal SnapshotContent Content { get; }

    /// <summary>Lets go of the memory.</summary>
    /// <exception cref="HypervisorException">The operating system refused to release the memory.</exception>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Content.Image.Release();
        }
    }

    /// <summary>Whether both stand for the same state of the same guest, by identity.</summary>
    /// <param name="other">Another snapshot.</param>
    public bool Equals(Snapshot? other) => other is not null && ReferenceEquals(Content, other.Content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Snapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Content);

    /// <summary>A further snapshot of the same content, or <see langword="null"/> if its memory is gone.</summary>
    internal static Snapshot? TryShare(SnapshotContent content) => content.Image.TryAddReference() ? new Snapshot(content) : null;

    /// <summary>Keeps the memory while it is used, also if the snapshot is disposed meanwhile. The image is released by the caller.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal SnapshotContent Acquire()
    {
        ObjectDisposedException.ThrowIf(IsDisposed || !Content.Image.TryAddReference(), this);
        return Content;
    }
}
