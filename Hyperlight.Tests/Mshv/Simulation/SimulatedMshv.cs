using System.Runtime.InteropServices;
using Hyperlight.Emulator;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// A Linux kernel with a /dev/mshv, whose virtual processors run on the emulator. Memory, files and threads are those of the
/// kernel below. Requests arrive as numbers and bytes, as they would at a real kernel; they are parsed here, by offsets of
/// the public header, and not by the driver's structures. What the kernel or the hypervisor would refuse is refused.
/// </summary>
/// <param name="below">The kernel that has everything but the device.</param>
internal sealed unsafe partial class SimulatedMshv(ILinuxKernel below) : ForwardingKernel(below)
{
    public const string DevicePath = "/dev/mshv";

    /// <summary>Numbers that the kernel below does not give to files.</summary>
    private const int FirstDescriptor = 1 << 20;
    private const int PageSize = 4096;
    private const ulong FeaturesFollow = 1 << 3;

    private readonly ILinuxKernel _below = below;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, object> _descriptors = [];

    /// <summary>The hypervisor denies no register that its processor has. Its instructions are interpreted, which allocates nothing.</summary>
    private readonly EmulatorHypervisor _processors = new(new EmulatorOptions { PermitsAllMsrs = true, TranslateHotCode = false });
    private int _nextDescriptor = FirstDescriptor;

    /// <summary>What this kernel and its hypervisor are like.</summary>
    public SimulatedMshvTraits Traits { get; } = new();

    /// <summary>The device, partitions and virtual processors that are open.</summary>
    public int OpenDescriptors => Locked(() => _descriptors.Count);

    /// <summary>Partitions that the hypervisor has: one lives until its last descriptor is closed.</summary>
    public int Partitions { get; private set; }

    /// <summary>The partition created last.</summary>
    public SimulatedPartition? LastPartition { get; private set; }

    /// <summary>Virtual processors that the hypervisor has.</summary>
    public int VirtualProcessors { get; private set; }

    /// <summary>Register pages that are mapped.</summary>
    public int RegisterPages => Locked(() => _registerPages.Count);

    /// <summary>Ranges of host memory that are pinned for guests.</summary>
    public int PinnedRegions => Locked(() => _pinned.Count);

    /// <summary>What a real kernel would have answered by corruption, or not at all.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>The requests so far, by the names of the headers.</summary>
    public List<string> Journal { get; } = [];

    /// <summary>Whether requests are noted in <see cref="Journal"/>. Without that, a request allocates nothing.</summary>
    public bool KeepsJournal { get; init; } = true;

    public override int Open(string path, int flags)
    {
        if (path != DevicePath)
        {
            return base.Open(path, flags);
        }

        if ((flags & LibC.O_CLOEXEC) == 0)
        {
            Violations.Add("the device is open without O_CLOEXEC: child processes inherit it");
        }

        return Traits.OpenError != 0 ? -Traits.OpenError : Locked(() => Add(this));
    }

    public override int Close(int fd)
    {
        if (fd < FirstDescriptor)
        {
            return base.Close(fd);
        }

        lock (_lock)
        {
            if (!_descriptors.Remove(fd, out object? target))
            {
                Violations.Add($"close of descriptor {fd}, which is not open");
                return -Errno.EBADF;
            }

            if (target is SimulatedVp vp)
            {
                vp.Partition.Release(vp);
            }
            else if (target is SimulatedPartition partition)
            {
                partition.Release(null);
            }

            return 0;
        }
    }

    public override int Ioctl(int fd, uint request, nint argument)
    {
        if (fd < FirstDescriptor)
        {
            return base.Ioctl(fd, request, argument);
        }

        object? target;
        lock (_lock)
        {
            Note(request, argument);
            if (!_descriptors.TryGetValue(fd, out target))
            {
                Violations.Add($"request 0x{request:X} on descriptor {fd}, which is not open");
                return -Errno.EBADF;
            }

            if (target is SimulatedPartition partition)
            {
                return partition.Ioctl(request, argument);
            }

            if (target is not SimulatedVp)
            {
                return DeviceIoctl(request, argument);
            }
        }

        // A guest runs as long as it likes, without the lock.
        return ((SimulatedVp)target).Ioctl(request, argument);
    }

    private void Note(uint request, nint argument)
    {
        if (KeepsJournal)
        {
            Journal.Add(SimulatedRequests.Name(request, argument));
        }
    }

    /// <summary>MSHV_CREATE_PARTITION.</summary>
    private int DeviceIoctl(uint request, nint argument)
    {
        if (request != SimulatedRequests.CreatePartition || Traits.HasOldInterface)
        {
            return -Errno.ENOTTY;
        }

        if (Traits.CreateError != 0)
        {
            return -Traits.CreateError;
        }

        // 16 bytes on every kernel; newer ones read the rest if flag 3 says that it is there.
        var arguments = new ReadOnlySpan<byte>((void*)argument, 16);
        ulong flags = MemoryMarshal.Read<ulong>(arguments);
        ulong isolation = MemoryMarshal.Read<ulong>(arguments[8..]);
        if ((flags & ~Traits.KnownCreateFlags) != 0 || isolation != 0)
        {
            return -Errno.EINVAL;
        }

        ulong[] disabled = [];
        if ((flags & FeaturesFollow) != 0 && !TryReadFeatures(new ReadOnlySpan<byte>((void*)argument, 64), out disabled))
        {
            return -Errno.EINVAL;
        }

        Partitions++;
        LastPartition = new SimulatedPartition(this, _processors) { DisabledFeatures = disabled };
        return Add(LastPartition);
    }

    /// <summary>Reads the longer structure: two banks of features, and those of XSAVE. What is reserved has to be zero.</summary>
    private static bool TryReadFeatures(ReadOnlySpan<byte> arguments, out ulong[] disabled)
    {
        disabled =
        [
            MemoryMarshal.Read<ulong>(arguments[24..]),
            MemoryMarshal.Read<ulong>(arguments[32..]),
            MemoryMarshal.Read<ulong>(arguments[56..]),
        ];
        return MemoryMarshal.Read<ushort>(arguments[16..]) == 2
            && !arguments[18..24].ContainsAnyExcept((byte)0) && !arguments[40..56].ContainsAnyExcept((byte)0);
    }

    internal int Add(object target)
    {
        _descriptors.Add(_nextDescriptor, target);
        return _nextDescriptor++;
    }

    internal void CountVp(int change) => VirtualProcessors += change;

    internal void RemovePartition() => Partitions--;

    internal T Locked<T>(Func<T> function)
    {
        lock (_lock)
        {
            return function();
        }
    }
}
