using System.Runtime.InteropServices;

namespace Hyperlight.Whp;

/// <summary>
/// A partition. What is mapped into it stays alive until it is deleted, and so does the process that hosts its memory: it
/// is given back afterwards. A thread that does not own the machine takes a reference before it calls a function of the
/// partition.
/// </summary>
internal sealed class PartitionHandle : SafeHandle
{
    private readonly IWinHv _winHv;
    private readonly Dictionary<SafeHandle, int> _memory = [];
    private Action? _afterwards;

    public PartitionHandle(IWinHv winHv, nint value)
        : base(0, ownsHandle: true)
    {
        _winHv = winHv;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The HRESULT of deleting the partition, if it failed.</summary>
    public int? ReleaseFailure { get; private set; }

    /// <summary>What is done once the partition is deleted and its memory is released. It must not throw.</summary>
    public void Afterwards(Action action) => _afterwards += action;

    /// <summary>Keeps a resource alive, once more if it is held already.</summary>
    /// <exception cref="ObjectDisposedException">The resource is gone.</exception>
    public void Hold(SafeHandle resource)
    {
        if (!_memory.TryGetValue(resource, out int count))
        {
            bool added = false;
            resource.DangerousAddRef(ref added);
        }

        _memory[resource] = count + 1;
    }

    /// <summary>Stops holding a resource.</summary>
    /// <returns>Whether nothing else in this partition holds it.</returns>
    public bool StopHolding(SafeHandle resource)
    {
        int count = _memory[resource] - 1;
        if (count > 0)
        {
            _memory[resource] = count;
            return false;
        }

        _memory.Remove(resource);
        resource.DangerousRelease();
        return true;
    }

    /// <summary>What is held, for reporting what went wrong when it was released.</summary>
    public SafeHandle[] Held() => [.. _memory.Keys];

    protected override bool ReleaseHandle()
    {
        int result = _winHv.DeletePartition(handle);
        if (result < 0)
        {
            ReleaseFailure = result;
        }

        foreach (SafeHandle resource in _memory.Keys)
        {
            resource.DangerousRelease();
        }

        _memory.Clear();
        _afterwards?.Invoke();
        return result >= 0;
    }
}
