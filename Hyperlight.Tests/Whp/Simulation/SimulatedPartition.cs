using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Whp;

/// <summary>A partition: its properties and its one processor.</summary>
internal sealed partial class SimulatedPartition(SimulatedWinHv platform, EmulatorHypervisor processors)
{
    private const uint ProcessorCount = 0x1FFF;
    private const uint ProcessorFeaturesBanks = 0x100A;
    private const uint CpuidResultList2 = 0x100D;
    private const uint LocalApicEmulationMode = 0x1005;
    private const int CpuidResultSize = 48;

    private uint _processorCount;
    private bool _isSetUp;
    private byte _addressBits = 39;

    public SimulatedWinHv Platform => platform;

    public SimulatedProcessor? Processor { get; private set; }

    public bool HasProcessor => Processor is not null;

    public bool IsRunning => Processor is { IsRunning: true };

    /// <summary>Whether a thread is in a function that must not see the partition go.</summary>
    public bool IsInUse => Processor is { IsInUse: true };

    /// <summary>Whether the partition has a local APIC of the platform's, so that its base cannot be accessed by name.</summary>
    public bool EmulatesApic { get; private set; }

    /// <summary>The features that the partition was given, by bank.</summary>
    public ulong[] Features { get; private set; } = [];

    /// <summary>The results of CPUID that are replaced: leaf, subleaf, and the masks of EAX, EBX, ECX, EDX.</summary>
    public List<(uint Leaf, uint Subleaf, uint[] Mask)> Cpuid { get; } = [];

    /// <summary>The width of physical addresses that CPUID reports.</summary>
    public byte AddressBits => _addressBits;

    public int SetProperty(uint code, ReadOnlySpan<byte> value)
    {
        // All of these describe the processors, and are fixed once the partition is set up.
        if (_isSetUp)
        {
            return SimulatedResults.InvalidPartitionConfig;
        }

        switch (code)
        {
            case ProcessorCount when value.Length == sizeof(uint):
                _processorCount = MemoryMarshal.Read<uint>(value);
                return _processorCount > 0 ? SimulatedResults.Ok : SimulatedResults.InvalidArgument;
            case LocalApicEmulationMode when value.Length == sizeof(uint):
                EmulatesApic = MemoryMarshal.Read<uint>(value) != 0;
                return SimulatedResults.Ok;
            case ProcessorFeaturesBanks when value.Length == 24 && MemoryMarshal.Read<ulong>(value) == 2:
                Features = MemoryMarshal.Cast<byte, ulong>(value[8..]).ToArray();
                return Features.Where((bank, i) => (bank & ~platform.Traits.ProcessorFeatures[i]) != 0).Any()
                    ? SimulatedResults.InvalidArgument
                    : SimulatedResults.Ok;
            case CpuidResultList2 when platform.Traits.KnowsCpuidResultList2 && value.Length % CpuidResultSize == 0:
                return SetCpuid(value);
            case ProcessorCount or LocalApicEmulationMode or ProcessorFeaturesBanks:
                return SimulatedResults.InvalidArgument;
            default:
                return SimulatedResults.UnknownProperty;
        }
    }

    public int SetUp()
    {
        if (_isSetUp || _processorCount == 0)
        {
            return SimulatedResults.InvalidPartitionConfig;
        }

        _isSetUp = true;
        return SimulatedResults.Ok;
    }

    public int CreateProcessor(uint index)
    {
        if (!_isSetUp || index >= _processorCount)
        {
            return SimulatedResults.InvalidArgument;
        }

        if (Processor is not null)
        {
            return SimulatedResults.VpAlreadyExists;
        }

        // The platform denies no register that its processor has.
        var options = new VirtualMachineOptions { PhysicalAddressBits = _addressBits };
        Processor = new SimulatedProcessor(this, (EmulatorVirtualMachine)processors.CreateVirtualMachine(in options));
        _ranges.ForEach(MapIntoProcessor);
        return SimulatedResults.Ok;
    }

    public void Delete() => Processor?.Machine.Dispose();

    private int SetCpuid(ReadOnlySpan<byte> list)
    {
        for (int i = 0; i < list.Length; i += CpuidResultSize)
        {
            ReadOnlySpan<uint> result = MemoryMarshal.Cast<byte, uint>(list.Slice(i, CpuidResultSize));
            if (result[3] > 1 || result[2] != 0)
            {
                return SimulatedResults.InvalidArgument;
            }

            Cpuid.Add((result[0], result[1], result[8..12].ToArray()));
            if (result[0] == 0x8000_0008 && (result[8] & 0xFF) == 0xFF)
            {
                _addressBits = (byte)result[4];
            }
        }

        return SimulatedResults.Ok;
    }
}
