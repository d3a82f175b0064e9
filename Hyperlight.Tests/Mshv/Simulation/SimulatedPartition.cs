using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>A partition: its properties, its memory, its one processor.</summary>
internal sealed unsafe class SimulatedPartition(SimulatedMshv kernel, EmulatorHypervisor processors)
{
    private const uint SyntheticFeatures = 0x0001_0001;
    private const uint AddressWidth = 0x0006_0006;
    private const byte Writable = 1;
    private const byte Executable = 2;
    private const byte Unmap = 4;
    private const int PageShift = 12;
    private const ulong PageMask = 0xFFF;

    private readonly List<Region> _regions = [];
    private bool _isInitialized;
    private bool _isOpen = true;
    private bool _hidesSyntheticFeatures;
    private byte _addressBits = 46;
    private uint _nextSlot;
    private SimulatedVp? _vp;

    private sealed record Region(ulong First, ulong Size, ulong Host, byte Flags, uint Slot)
    {
        /// <summary>What the guest has for the host's memory.</summary>
        public ulong Pages { get; set; } = Host;
    }

    public SimulatedMshv Kernel => kernel;

    /// <summary>The features that the partition was created without: two banks, and those of XSAVE; nothing if it did not say.</summary>
    public required ulong[] DisabledFeatures { get; init; }

    /// <summary>Whether a guest would find timers and clocks of the hypervisor.</summary>
    public bool HidesSyntheticFeatures => _hidesSyntheticFeatures;

    public byte AddressBits => _addressBits;

    /// <summary>The processor, once there is one.</summary>
    public SimulatedVp? Processor => _vp;

    /// <summary>Whether something is mapped at a guest physical address.</summary>
    public bool IsMapped(ulong address) => _regions.Exists(r => address >= r.First && address - r.First < r.Size);

    /// <summary>Reads guest physical memory that is in one mapping.</summary>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        foreach (Region region in _regions)
        {
            ulong offset = address - region.First;
            if (offset < region.Size && (ulong)destination.Length <= region.Size - offset)
            {
                new ReadOnlySpan<byte>((void*)(region.Pages + offset), destination.Length).CopyTo(destination);
                return true;
            }
        }

        return false;
    }

    public int Ioctl(uint request, nint argument)
    {
        if (request == SimulatedRequests.RootHvcall)
        {
            return kernel.Traits.HasNoHypercalls ? -Errno.ENOTTY : new SimulatedHypercall(argument).Dispatch(this, vp: null);
        }

        if (request == SimulatedRequests.InitializePartition)
        {
            if (_isInitialized)
            {
                return -Errno.EINVAL;
            }

            _isInitialized = true;
            return 0;
        }

        if (request == SimulatedRequests.CreateVp)
        {
            return CreateVp(MemoryMarshal.Read<uint>(new ReadOnlySpan<byte>((void*)argument, sizeof(uint))));
        }

        return request == SimulatedRequests.SetGuestMemory
            ? SetMemory(new ReadOnlySpan<byte>((void*)argument, 32))
            : -Errno.ENOTTY;
    }

    /// <summary>HVCALL_SET_PARTITION_PROPERTY.</summary>
    /// <returns>The hypervisor's status.</returns>
    public ushort SetProperty(uint code, ulong value)
    {
        if (kernel.Traits.PropertyStatus != 0)
        {
            return kernel.Traits.PropertyStatus;
        }

        // Both are early: what a guest's processor has is fixed once the partition is initialised.
        if (_isInitialized)
        {
            return SimulatedHypercall.InvalidPartitionState;
        }

        switch (code)
        {
            case SyntheticFeatures:
                _hidesSyntheticFeatures = value == 0;
                return 0;
            case AddressWidth when value is >= 32 and <= 52:
                _addressBits = (byte)value;
                return 0;
            case AddressWidth:
                return SimulatedHypercall.ValueOutOfRange;
            default:
                return SimulatedHypercall.UnknownProperty;
        }
    }

    /// <summary>A descriptor was closed: the partition's own, or that of its processor.</summary>
    public void Release(SimulatedVp? vp)
    {
        if (vp is null)
        {
            _isOpen = false;
        }
        else
        {
            vp.IsClosed = true;
            kernel.CountVp(-1);
        }

        if (!_isOpen && _vp is null or { IsClosed: true })
        {
            kernel.UnpinAll(this);
            _vp?.Machine.Dispose();
            kernel.RemovePartition();
        }
    }

    private int CreateVp(uint index)
    {
        if (!_isInitialized || index != 0)
        {
            return -Errno.EINVAL;
        }

        if (_vp is not null)
        {
            return -Errno.EEXIST;
        }

        var options = new VirtualMachineOptions { PhysicalAddressBits = _addressBits };
        _vp = new SimulatedVp(this, (EmulatorVirtualMachine)processors.CreateVirtualMachine(in options));
        _regions.ForEach(Map);
        kernel.CountVp(1);
        return kernel.Add(_vp);
    }

    /// <summary>MSHV_SET_GUEST_MEMORY.</summary>
    private int SetMemory(ReadOnlySpan<byte> arguments)
    {
        ulong size = MemoryMarshal.Read<ulong>(arguments);
        ulong pfn = MemoryMarshal.Read<ulong>(arguments[8..]);
        ulong host = MemoryMarshal.Read<ulong>(arguments[16..]);
        byte flags = arguments[24];
        if (arguments[25..].ContainsAnyExcept((byte)0)
            || size == 0 || ((size | host) & PageMask) != 0 || (flags & ~(Writable | Executable | Unmap)) != 0)
        {
            return -Errno.EINVAL;
        }

        ulong first = pfn << PageShift;
        return (flags & Unmap) != 0 ? Remove(first, size, host) : Insert(first, size, host, flags);
    }

    private int Insert(ulong first, ulong size, ulong host, byte flags)
    {
        if (_regions.Exists(r => first < r.First + r.Size && r.First < first + size))
        {
            return -Errno.EEXIST;
        }

        int result = kernel.Pin(this, host, size);
        if (result < 0)
        {
            return result;
        }

        Region region = new(first, size, host, flags, _nextSlot++);
        _regions.Add(region);
        if (_vp is not null)
        {
            Map(region);
        }

        return 0;
    }

    private int Remove(ulong first, ulong size, ulong host)
    {
        Region? region = _regions.Find(r => r.First == first && r.Size == size && r.Host == host);
        if (region is null)
        {
            return -Errno.EINVAL;
        }

        // A processor that runs loses the memory too: it is stopped for that.
        _vp?.Pause();
        _vp?.Machine.UnmapMemory(region.Slot);
        _vp?.Resume();
        _regions.Remove(region);
        kernel.Unpin(this, host, size);
        return 0;
    }

    private void Map(Region region)
    {
        MemoryFlags flags = MemoryFlags.Read
            | ((region.Flags & Writable) != 0 ? MemoryFlags.Write : 0)
            | ((region.Flags & Executable) != 0 ? MemoryFlags.Execute : 0);
        using HostMemoryRegion memory = kernel.PagesOf(region.Host, region.Size);
        region.Pages = (ulong)memory.Handle.DangerousGetHandle();
        _vp!.Pause();
        _vp.Machine.MapMemory(region.Slot, GuestMapping.Whole(region.First, memory, flags));
        _vp.Resume();
    }
}
