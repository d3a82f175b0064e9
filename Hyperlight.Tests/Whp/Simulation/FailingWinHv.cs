using Hyperlight.Whp;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>A platform of which one call fails. A partition that is deleted is gone nevertheless.</summary>
internal sealed unsafe class FailingWinHv(IWinHv inner, FailurePlan plan) : IWinHv
{
    public IReadOnlyList<string>? Load() => inner.Load();

    public int GetCapability(uint code, void* buffer, uint size, uint* written) =>
        plan.Fails("WHvGetCapability") ? FailurePlan.Result : inner.GetCapability(code, buffer, size, written);

    public int CreatePartition(nint* partition) =>
        plan.Fails("WHvCreatePartition") ? FailurePlan.Result : inner.CreatePartition(partition);

    public int SetPartitionProperty(nint partition, uint code, void* buffer, uint size) =>
        plan.Fails("WHvSetPartitionProperty") ? FailurePlan.Result : inner.SetPartitionProperty(partition, code, buffer, size);

    public int SetupPartition(nint partition) => plan.Fails("WHvSetupPartition") ? FailurePlan.Result : inner.SetupPartition(partition);

    public int DeletePartition(nint partition)
    {
        int result = inner.DeletePartition(partition);
        return plan.Fails("WHvDeletePartition") ? FailurePlan.Result : result;
    }

    public int CreateVirtualProcessor(nint partition, uint index, uint flags) =>
        plan.Fails("WHvCreateVirtualProcessor") ? FailurePlan.Result : inner.CreateVirtualProcessor(partition, index, flags);

    public int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags) =>
        plan.Fails("WHvMapGpaRange") ? FailurePlan.Result : inner.MapGpaRange(partition, source, guestAddress, size, flags);

    public int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags) =>
        plan.Fails("WHvMapGpaRange2") ? FailurePlan.Result : inner.MapGpaRange2(partition, process, source, guestAddress, size, flags);

    public int UnmapGpaRange(nint partition, ulong guestAddress, ulong size) =>
        plan.Fails("WHvUnmapGpaRange") ? FailurePlan.Result : inner.UnmapGpaRange(partition, guestAddress, size);

    public int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress) =>
        plan.Fails("WHvTranslateGva") ? FailurePlan.Result : inner.TranslateGva(partition, index, address, flags, result, guestAddress);

    public int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size) =>
        plan.Fails("WHvRunVirtualProcessor") ? FailurePlan.Result : inner.RunVirtualProcessor(partition, index, exitContext, size);

    public int CancelRunVirtualProcessor(nint partition, uint index, uint flags) =>
        plan.Fails("WHvCancelRunVirtualProcessor") ? FailurePlan.Result : inner.CancelRunVirtualProcessor(partition, index, flags);

    public int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        plan.Fails("WHvGetVirtualProcessorRegisters")
            ? FailurePlan.Result
            : inner.GetVirtualProcessorRegisters(partition, index, names, count, values);

    public int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        plan.Fails("WHvSetVirtualProcessorRegisters")
            ? FailurePlan.Result
            : inner.SetVirtualProcessorRegisters(partition, index, names, count, values);

    public int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written)
    {
        *written = 0;
        return plan.Fails("WHvGetVirtualProcessorXsaveState")
            ? FailurePlan.Result
            : inner.GetVirtualProcessorXsaveState(partition, index, buffer, size, written);
    }

    public int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size) =>
        plan.Fails("WHvSetVirtualProcessorXsaveState")
            ? FailurePlan.Result
            : inner.SetVirtualProcessorXsaveState(partition, index, buffer, size);
}
