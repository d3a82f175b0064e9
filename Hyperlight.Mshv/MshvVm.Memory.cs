using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// Guest physical memory. The kernel has no slots: a mapping is known by its address and its host memory, and is removed by
/// naming both again.
/// </summary>
internal sealed unsafe partial class MshvVm : IForcedExit
{
    private readonly Dictionary<uint, MshvUserMemRegion> _regions = [];

    /// <summary>The slots of files, whose memory is gone once a file is shortened.</summary>
    private readonly HashSet<uint> _files = [];

    /// <summary>The slots whose mappings were taken away to force the processor out.</summary>
    private readonly HashSet<uint> _withdrawn = [];

    private volatile bool _isWithdrawn;

    /// <inheritdoc/>
    public bool IsInEffect => _isWithdrawn;

    /// <summary>MSHV_SET_GUEST_MEMORY: maps memory, and keeps it alive.</summary>
    /// <exception cref="InvalidOperationException">The slot is in use.</exception>
    /// <exception cref="HypervisorException">The kernel refused; the slot is still free.</exception>
    public void Map(uint slot, in GuestMapping mapping)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, typeof(MshvVirtualMachine));
        if (handle.Holds(slot))
        {
            throw new InvalidOperationException($"Memory slot {slot} is in use.");
        }

        handle.Hold(slot, mapping.Region.Handle);
        MshvUserMemRegion region = new()
        {
            Size = mapping.Size,
            GuestPfn = mapping.GuestAddress >> PageShift,
            UserspaceAddr = (ulong)mapping.Region.Handle.DangerousGetHandle() + mapping.RegionOffset,
            Flags = Flags(mapping.Flags),
        };
        int result = SetRegion(in region);
        if (result < 0)
        {
            handle.StopHolding(slot);
            throw MshvError.Create(result, nameof(MshvIoctls.MSHV_SET_GUEST_MEMORY));
        }

        _regions.Add(slot, region);
        if (mapping.Region.Kind == MemoryRegionKind.File)
        {
            _files.Add(slot);
        }
    }

    /// <summary>MSHV_SET_GUEST_MEMORY: removes a mapping, and releases its memory.</summary>
    /// <exception cref="InvalidOperationException">The slot is free.</exception>
    /// <exception cref="HypervisorException">The kernel refused; the mapping is still there.</exception>
    public void Unmap(uint slot)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, typeof(MshvVirtualMachine));
        if (!handle.Holds(slot))
        {
            throw new InvalidOperationException($"Memory slot {slot} is free.");
        }

        if (!_withdrawn.Contains(slot))
        {
            MshvError.Check(Remove(slot), nameof(MshvIoctls.MSHV_SET_GUEST_MEMORY));
        }

        _withdrawn.Remove(slot);
        _regions.Remove(slot);
        _files.Remove(slot);

        // The slot is free, whatever became of memory that had no other owner.
        _earlierFailures.Note(handle.StopHolding(slot));
    }

    /// <summary>Reads guest physical memory.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="destination">Where the bytes go.</param>
    /// <returns>Whether all of it is in one mapping, and not that of a file.</returns>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        foreach ((uint slot, MshvUserMemRegion region) in _regions)
        {
            ulong offset = address - (region.GuestPfn << PageShift);
            if (offset < region.Size && (ulong)destination.Length <= region.Size - offset && !_files.Contains(slot))
            {
                // SAFETY: the memory is held as long as it is mapped, and the range was just checked.
                new ReadOnlySpan<byte>((void*)(region.UserspaceAddr + offset), destination.Length).CopyTo(destination);
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Takes the guest's memory away, so that there is no instruction that it could execute. Only for cancellations that no
    /// signal can bring about.
    /// </summary>
    /// <inheritdoc/>
    public bool TryForce()
    {
        foreach (uint slot in _regions.Keys)
        {
            if (!_withdrawn.Contains(slot))
            {
                if (Remove(slot) < 0)
                {
                    return false;
                }

                _withdrawn.Add(slot);
                _isWithdrawn = true;
            }
        }

        return true;
    }

    /// <summary>Gives the memory back.</summary>
    /// <inheritdoc/>
    public void Undo()
    {
        foreach (uint slot in _withdrawn)
        {
            MshvError.Check(SetRegion(_regions[slot]), nameof(MshvIoctls.MSHV_SET_GUEST_MEMORY));
            _withdrawn.Remove(slot);
        }

        _isWithdrawn = false;
    }

    private static byte Flags(MemoryFlags flags) => (byte)(
        ((flags & MemoryFlags.Write) != 0 ? MshvUserMemRegion.MSHV_SET_MEM_WRITABLE : 0)
        | ((flags & MemoryFlags.Execute) != 0 ? MshvUserMemRegion.MSHV_SET_MEM_EXECUTABLE : 0));

    private int Remove(uint slot) => SetRegion(_regions[slot] with { Flags = MshvUserMemRegion.MSHV_SET_MEM_UNMAP });

    // SAFETY: a structure of the request's type, in place meanwhile. The host memory in it stays, as it is held.
    private int SetRegion(in MshvUserMemRegion region)
    {
        fixed (MshvUserMemRegion* pointer = &region)
        {
            int result;
            do
            {
                result = handle.Ioctl(MshvIoctls.MSHV_SET_GUEST_MEMORY, pointer);
            }
            while (result == -Errno.EINTR);

            return result;
        }
    }
}
