using System.Diagnostics;
using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Benchmarks.Kernel;

/// <summary>Stands between the WHP driver and the platform, and tells a meter what each function took.</summary>
internal sealed unsafe class MeteredWinHv(IWinHv platform, KernelMeter meter) : IWinHv
{
    public IReadOnlyList<string>? Load() => platform.Load();

    public int GetCapability(uint code, void* buffer, uint size, uint* written)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.GetCapability(code, buffer, size, written), start);
    }

    public int CreatePartition(nint* partition)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.CreatePartition(partition), start);
    }

    public int SetPartitionProperty(nint partition, uint code, void* buffer, uint size)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.SetPartitionProperty(partition, code, buffer, size), start);
    }

    public int SetupPartition(nint partition)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.SetupPartition(partition), start);
    }

    public int DeletePartition(nint partition)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.DeletePartition(partition), start);
    }

    public int CreateVirtualProcessor(nint partition, uint index, uint flags)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.CreateVirtualProcessor(partition, index, flags), start);
    }

    public int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.MapGpaRange(partition, source, guestAddress, size, flags), start);
    }

    public int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.MapGpaRange2(partition, process, source, guestAddress, size, flags), start);
    }

    public int UnmapGpaRange(nint partition, ulong guestAddress, ulong size)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.UnmapGpaRange(partition, guestAddress, size), start);
    }

    public int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.TranslateGva(partition, index, address, flags, result, guestAddress), start);
    }

    public int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size)
    {
        long start = Stopwatch.GetTimestamp();
        int result = platform.RunVirtualProcessor(partition, index, exitContext, size);
        meter.AddRun(Stopwatch.GetTimestamp() - start);
        return result;
    }

    public int CancelRunVirtualProcessor(nint partition, uint index, uint flags)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.CancelRunVirtualProcessor(partition, index, flags), start);
    }

    public int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.GetVirtualProcessorRegisters(partition, index, names, count, values), start);
    }

    public int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.SetVirtualProcessorRegisters(partition, index, names, count, values), start);
    }

    public int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.GetVirtualProcessorXsaveState(partition, index, buffer, size, written), start);
    }

    public int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size)
    {
        long start = Stopwatch.GetTimestamp();
        return Metered(platform.SetVirtualProcessorXsaveState(partition, index, buffer, size), start);
    }

    private int Metered(int result, long start)
    {
        meter.AddIoctl(Stopwatch.GetTimestamp() - start);
        return result;
    }
}
