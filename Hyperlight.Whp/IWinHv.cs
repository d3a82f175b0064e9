using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// Every function of winhvplatform.dll that the driver calls, and nothing else, so that tests can stand behind it and see
/// the very bytes that the library would see. Names and arguments are those of winhvplatform.h. Each function returns an
/// HRESULT, which is negative for a failure; none throws.
/// </summary>
internal unsafe interface IWinHv
{
    /// <summary>
    /// Loads the library. Nothing else may be called unless this succeeded.
    /// </summary>
    /// <returns>The functions that this version of the library lacks, empty if it has all; <see langword="null"/> if there is no library.</returns>
    IReadOnlyList<string>? Load();

    /// <summary>WHvGetCapability.</summary>
    int GetCapability(uint code, void* buffer, uint size, uint* written);

    /// <summary>WHvCreatePartition.</summary>
    int CreatePartition(nint* partition);

    /// <summary>WHvSetPartitionProperty.</summary>
    int SetPartitionProperty(nint partition, uint code, void* buffer, uint size);

    /// <summary>WHvSetupPartition.</summary>
    int SetupPartition(nint partition);

    /// <summary>WHvDeletePartition.</summary>
    int DeletePartition(nint partition);

    /// <summary>WHvCreateVirtualProcessor.</summary>
    int CreateVirtualProcessor(nint partition, uint index, uint flags);

    /// <summary>WHvMapGpaRange: memory of this process.</summary>
    int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags);

    /// <summary>WHvMapGpaRange2, since Windows 11: memory of another process, at an address there.</summary>
    int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags);

    /// <summary>WHvUnmapGpaRange.</summary>
    int UnmapGpaRange(nint partition, ulong guestAddress, ulong size);

    /// <summary>WHvTranslateGva.</summary>
    int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress);

    /// <summary>WHvRunVirtualProcessor.</summary>
    int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size);

    /// <summary>WHvCancelRunVirtualProcessor.</summary>
    int CancelRunVirtualProcessor(nint partition, uint index, uint flags);

    /// <summary>WHvGetVirtualProcessorRegisters. The values lie at a multiple of 16.</summary>
    int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values);

    /// <summary>WHvSetVirtualProcessorRegisters. The values lie at a multiple of 16.</summary>
    int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values);

    /// <summary>WHvGetVirtualProcessorXsaveState.</summary>
    int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written);

    /// <summary>WHvSetVirtualProcessorXsaveState.</summary>
    int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size);
}
