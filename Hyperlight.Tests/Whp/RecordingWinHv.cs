using Hyperlight.Tests.Golden;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>Writes down the arguments of every call to the platform, without the addresses and handles in them, which are never the same.</summary>
internal sealed unsafe class RecordingWinHv(IWinHv inner) : IWinHv
{
    /// <summary>What was written down.</summary>
    public GoldenText Text { get; } = new();

    public IReadOnlyList<string>? Load() => inner.Load();

    public int GetCapability(uint code, void* buffer, uint size, uint* written)
    {
        Text.Line($"WHvGetCapability code 0x{code:X8}, {size} bytes");
        return inner.GetCapability(code, buffer, size, written);
    }

    public int CreatePartition(nint* partition)
    {
        Text.Line("WHvCreatePartition");
        return inner.CreatePartition(partition);
    }

    public int SetPartitionProperty(nint partition, uint code, void* buffer, uint size)
    {
        Text.Line($"WHvSetPartitionProperty code 0x{code:X8}");
        Text.Bytes("property", new(buffer, (int)size));
        return inner.SetPartitionProperty(partition, code, buffer, size);
    }

    public int SetupPartition(nint partition)
    {
        Text.Line("WHvSetupPartition");
        return inner.SetupPartition(partition);
    }

    public int DeletePartition(nint partition)
    {
        Text.Line("WHvDeletePartition");
        return inner.DeletePartition(partition);
    }

    public int CreateVirtualProcessor(nint partition, uint index, uint flags)
    {
        Text.Line($"WHvCreateVirtualProcessor {index}, flags 0x{flags:X}");
        return inner.CreateVirtualProcessor(partition, index, flags);
    }

    public int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags)
    {
        Text.Line($"WHvMapGpaRange 0x{guestAddress:X}, {size} bytes, flags 0x{flags:X}");
        return inner.MapGpaRange(partition, source, guestAddress, size, flags);
    }

    public int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags)
    {
        Text.Line($"WHvMapGpaRange2 0x{guestAddress:X}, {size} bytes, flags 0x{flags:X}");
        return inner.MapGpaRange2(partition, process, source, guestAddress, size, flags);
    }

    public int UnmapGpaRange(nint partition, ulong guestAddress, ulong size)
    {
        Text.Line($"WHvUnmapGpaRange 0x{guestAddress:X}, {size} bytes");
        return inner.UnmapGpaRange(partition, guestAddress, size);
    }

    public int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress)
    {
        Text.Line($"WHvTranslateGva {index}, 0x{address:X}, flags 0x{flags:X}");
        return inner.TranslateGva(partition, index, address, flags, result, guestAddress);
    }

    public int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size)
    {
        Text.Line($"WHvRunVirtualProcessor {index}, {size} bytes");
        return inner.RunVirtualProcessor(partition, index, exitContext, size);
    }

    public int CancelRunVirtualProcessor(nint partition, uint index, uint flags)
    {
        Text.Line($"WHvCancelRunVirtualProcessor {index}, flags 0x{flags:X}");
        return inner.CancelRunVirtualProcessor(partition, index, flags);
    }

    public int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values)
    {
        Text.Line($"WHvGetVirtualProcessorRegisters {index}, {count} registers");
        Text.Bytes("names", new(names, (int)count * sizeof(uint)));
        return inner.GetVirtualProcessorRegisters(partition, index, names, count, values);
    }

    public int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values)
    {
        Text.Line($"WHvSetVirtualProcessorRegisters {index}, {count} registers");
        Text.Bytes("names", new(names, (int)count * sizeof(uint)));
        Text.Bytes("values", new(values, (int)count * sizeof(WhvRegisterValue)));
        return inner.SetVirtualProcessorRegisters(partition, index, names, count, values);
    }

    public int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written)
    {
        Text.Line($"WHvGetVirtualProcessorXsaveState {index}, {size} bytes");
        return inner.GetVirtualProcessorXsaveState(partition, index, buffer, size, written);
    }

    public int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size)
    {
        Text.Line($"WHvSetVirtualProcessorXsaveState {index}");
        Text.Bytes("state", new(buffer, (int)size));
        return inner.SetVirtualProcessorXsaveState(partition, index, buffer, size);
    }
}
