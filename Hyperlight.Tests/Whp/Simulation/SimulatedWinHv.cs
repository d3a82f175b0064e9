using Hyperlight.Emulator;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// A winhvplatform.dll whose virtual processors run on the emulator. Calls arrive as numbers and bytes, as they would at the
/// library; they are parsed here, by offsets of the public header, and not by the driver's structures. What the platform would
/// refuse is refused.
/// </summary>
internal sealed unsafe partial class SimulatedWinHv : IWinHv
{
    private readonly Lock _lock = new();
    private readonly Dictionary<nint, SimulatedPartition> _partitions = [];

    /// <summary>IA32_MISC_ENABLE, for which the platform has no name, so that nothing could put it back.</summary>
    private static readonly uint[] WithoutName = [0x1A0];

    /// <summary>
    /// The platform denies no register that its processor has, except what a guest can only read. Instructions are interpreted,
    /// which allocates nothing.
    /// </summary>
    private readonly EmulatorHypervisor _processors = new(
        new EmulatorOptions { PermitsAllMsrs = true, ReadOnlyMsrs = WithoutName, TranslateHotCode = false });
    private readonly int[] _calls = new int[Enum.GetValues<SimulatedFunction>().Length];
    private nint _nextPartition = 0x10000;

    /// <param name="windows">The Windows whose sections and processes are mapped.</param>
    public SimulatedWinHv(SimulatedWindows windows)
    {
        Windows = windows;
        windows.ProcessEnded += process => ForEach(p => p.LoseMemoryOf(process));
        windows.ViewUnmapping += (process, address, size) => ForEach(p => p.CheckUnmapping(process, address, size));
    }

    public SimulatedWindows Windows { get; }

    /// <summary>What this platform is like.</summary>
    public SimulatedWhpTraits Traits { get; } = new();

    /// <summary>Partitions that exist.</summary>
    public int Partitions => Locked(() => _partitions.Count);

    /// <summary>Virtual processors that exist.</summary>
    public int VirtualProcessors => Locked(() => _partitions.Values.Count(static p => p.HasProcessor));

    /// <summary>Ranges of guest physical memory that are mapped.</summary>
    public int MappedRanges => Locked(() => _partitions.Values.Sum(static p => p.RangeCount));

    /// <summary>The partition created last.</summary>
    public SimulatedPartition? LastPartition { get; private set; }

    /// <summary>Its handle.</summary>
    public nint LastHandle => _nextPartition;

    /// <summary>Whether a processor is in its guest.</summary>
    public bool IsAnyRunning => Locked(() => _partitions.Values.Any(static p => p.IsRunning));

    /// <summary>What the real library would have answered by corruption, or not at all.</summary>
    public List<string> Violations => Windows.Violations;

    /// <summary>How often each function was called.</summary>
    public int Calls(SimulatedFunction function) => Volatile.Read(ref _calls[(int)function]);

    /// <summary>How often any was called.</summary>
    public int AllCalls => _calls.Sum();

    public IReadOnlyList<string>? Load() => Traits.HasLibrary ? Traits.MissingFunctions : null;

    public int GetCapability(uint code, void* buffer, uint size, uint* written)
    {
        Count(SimulatedFunction.WHvGetCapability);
        byte[]? value = code switch
        {
            0 => BitConverter.GetBytes(Traits.IsHypervisorPresent ? 1 : 0),
            1 => BitConverter.GetBytes(Traits.Features),
            0x1006 when Traits.ProcessorFeatures is [var bank0, var bank1] =>
                [2, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(bank0), .. BitConverter.GetBytes(bank1)],
            _ => null,
        };
        if (value is null)
        {
            return SimulatedResults.UnknownCapability;
        }

        *written = (uint)value.Length;
        if (size < value.Length)
        {
            return SimulatedResults.InsufficientBuffer;
        }

        value.CopyTo(new Span<byte>(buffer, (int)size));
        return 0;
    }

    public int CreatePartition(nint* partition)
    {
        Count(SimulatedFunction.WHvCreatePartition);
        lock (_lock)
        {
            if (Traits.CreateResult != 0)
            {
                return Traits.CreateResult;
            }

            _nextPartition += 0x100;
            LastPartition = new SimulatedPartition(this, _processors);
            _partitions.Add(_nextPartition, LastPartition);
            *partition = _nextPartition;
            return 0;
        }
    }

    public int SetPartitionProperty(nint partition, uint code, void* buffer, uint size) =>
        With(SimulatedFunction.WHvSetPartitionProperty, partition, out SimulatedPartition found)
            ? found.SetProperty(code, new ReadOnlySpan<byte>(buffer, (int)size))
            : SimulatedResults.InvalidArgument;

    public int SetupPartition(nint partition) =>
        With(SimulatedFunction.WHvSetupPartition, partition, out SimulatedPartition found) ? found.SetUp() : SimulatedResults.InvalidArgument;

    public int DeletePartition(nint partition)
    {
        if (!With(SimulatedFunction.WHvDeletePartition, partition, out SimulatedPartition found))
        {
            return SimulatedResults.InvalidArgument;
        }

        if (found.IsInUse)
        {
            Violations.Add("a partition was deleted while another thread was in a function for it");
            return SimulatedResults.InvalidVpState;
        }

        lock (_lock)
        {
            _partitions.Remove(partition);
        }

        found.Delete();
        return 0;
    }

    public int CreateVirtualProcessor(nint partition, uint index, uint flags) =>
        With(SimulatedFunction.WHvCreateVirtualProcessor, partition, out SimulatedPartition found) && flags == 0
            ? found.CreateProcessor(index)
            : SimulatedResults.InvalidArgument;

    public int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags)
    {
        if (!With(SimulatedFunction.WHvMapGpaRange, partition, out SimulatedPartition found))
        {
            return SimulatedResults.InvalidArgument;
        }

        return OtherMaps(found, process: null)
            ? SimulatedResults.PartitionAlreadyExists
            : found.Map(process: null, (ulong)source, guestAddress, size, flags);
    }

    public int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags)
    {
        if (!With(SimulatedFunction.WHvMapGpaRange2, partition, out SimulatedPartition found)
            || Windows.FindProcess(process) is not { } owner)
        {
            return SimulatedResults.InvalidArgument;
        }

        return OtherMaps(found, owner)
            ? SimulatedResults.PartitionAlreadyExists
            : found.Map(owner, (ulong)source, guestAddress, size, flags);
    }

    public int UnmapGpaRange(nint partition, ulong guestAddress, ulong size) =>
        With(SimulatedFunction.WHvUnmapGpaRange, partition, out SimulatedPartition found)
            ? found.Unmap(guestAddress, size)
            : SimulatedResults.InvalidArgument;

    public int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress)
    {
        if (!WithProcessor(SimulatedFunction.WHvTranslateGva, partition, index, out SimulatedProcessor processor))
        {
            return SimulatedResults.VpDoesNotExist;
        }

        // Result code and a reserved word.
        bool isMapped = processor.TryTranslate(address, out *guestAddress) && !Traits.RefusesTranslations;
        *(ulong*)result = isMapped ? 0UL : 1UL;
        return 0;
    }

    public int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size)
    {
        if (!WithProcessor(SimulatedFunction.WHvRunVirtualProcessor, partition, index, out SimulatedProcessor processor))
        {
            return SimulatedResults.VpDoesNotExist;
        }

        return size < 224 ? SimulatedResults.InsufficientBuffer : processor.Run(new Span<byte>(exitContext, 224));
    }

    public int CancelRunVirtualProcessor(nint partition, uint index, uint flags)
    {
        if (!WithProcessor(SimulatedFunction.WHvCancelRunVirtualProcessor, partition, index, out SimulatedProcessor processor))
        {
            return SimulatedResults.VpDoesNotExist;
        }

        if (Traits.CancellationsRefused > 0)
        {
            Traits.CancellationsRefused--;
            return SimulatedResults.Fail;
        }

        return processor.Cancel();
    }

    public int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        WithProcessor(SimulatedFunction.WHvGetVirtualProcessorRegisters, partition, index, out SimulatedProcessor processor)
            ? processor.GetRegisters(new ReadOnlySpan<uint>(names, (int)count), values)
            : SimulatedResults.VpDoesNotExist;

    public int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        WithProcessor(SimulatedFunction.WHvSetVirtualProcessorRegisters, partition, index, out SimulatedProcessor processor)
            ? processor.SetRegisters(new ReadOnlySpan<uint>(names, (int)count), values)
            : SimulatedResults.VpDoesNotExist;

    public int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written) =>
        WithProcessor(SimulatedFunction.WHvGetVirtualProcessorXsaveState, partition, index, out SimulatedProcessor processor)
            ? processor.GetXsave(new Span<byte>(buffer, (int)size), out *written)
            : SimulatedResults.VpDoesNotExist;

    public int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size) =>
        WithProcessor(SimulatedFunction.WHvSetVirtualProcessorXsaveState, partition, index, out SimulatedProcessor processor)
            ? processor.SetXsave(new ReadOnlySpan<byte>(buffer, (int)size))
            : SimulatedResults.VpDoesNotExist;

    private void Count(SimulatedFunction function) => Interlocked.Increment(ref _calls[(int)function]);

    private bool With(SimulatedFunction function, nint partition, out SimulatedPartition found)
    {
        Count(function);
        lock (_lock)
        {
            if (_partitions.TryGetValue(partition, out found!))
            {
                return true;
            }
        }

        Violations.Add($"{function} for 0x{partition:X}, which is no partition");
        return false;
    }

    private bool WithProcessor(SimulatedFunction function, nint partition, uint index, out SimulatedProcessor processor)
    {
        processor = null!;
        return With(function, partition, out SimulatedPartition found) && index == 0 && (processor = found.Processor!) is not null;
    }

    /// <summary>Whether another partition maps memory of a process: the platform allows one.</summary>
    private bool OtherMaps(SimulatedPartition partition, SimulatedProcess? process)
    {
        lock (_lock)
        {
            foreach (SimulatedPartition other in _partitions.Values)
            {
                if (other != partition && other.Maps(process))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private void ForEach(Action<SimulatedPartition> action)
    {
        SimulatedPartition[] partitions;
        lock (_lock)
        {
            partitions = [.. _partitions.Values];
        }

        Array.ForEach(partitions, action);
    }

    private T Locked<T>(Func<T> function)
    {
        lock (_lock)
        {
            return function();
        }
    }
}
