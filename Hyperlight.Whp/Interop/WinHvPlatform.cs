using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>
/// winhvplatform.h. The functions that older versions of Windows lack are bound by name when the library is loaded, and are
/// not here.
/// </summary>
internal static unsafe partial class WinHvPlatform
{
    public const string Library = "winhvplatform.dll";

    [LibraryImport(Library)]
    public static partial int WHvGetCapability(uint capabilityCode, void* capabilityBuffer, uint capabilityBufferSizeInBytes, uint* writtenSizeInBytes);

    [LibraryImport(Library)]
    public static partial int WHvCreatePartition(nint* partition);

    [LibraryImport(Library)]
    public static partial int WHvSetPartitionProperty(nint partition, uint propertyCode, void* propertyBuffer, uint propertyBufferSizeInBytes);

    [LibraryImport(Library)]
    public static partial int WHvSetupPartition(nint partition);

    [LibraryImport(Library)]
    public static partial int WHvDeletePartition(nint partition);

    [LibraryImport(Library)]
    public static partial int WHvCreateVirtualProcessor(nint partition, uint vpIndex, uint flags);

    [LibraryImport(Library)]
    public static partial int WHvMapGpaRange(nint partition, void* sourceAddress, ulong guestAddress, ulong sizeInBytes, uint flags);

    [LibraryImport(Library)]
    public static partial int WHvUnmapGpaRange(nint partition, ulong guestAddress, ulong sizeInBytes);

    [LibraryImport(Library)]
    public static partial int WHvTranslateGva(
        nint partition, uint vpIndex, ulong gva, uint translateFlags, WhvTranslateGvaResult* translationResult, ulong* gpa);

    [LibraryImport(Library)]
    public static partial int WHvRunVirtualProcessor(nint partition, uint vpIndex, void* exitContext, uint exitContextSizeInBytes);

    [LibraryImport(Library)]
    public static partial int WHvCancelRunVirtualProcessor(nint partition, uint vpIndex, uint flags);

    [LibraryImport(Library)]
    public static partial int WHvGetVirtualProcessorRegisters(
        nint partition, uint vpIndex, uint* registerNames, uint registerCount, WhvRegisterValue* registerValues);

    [LibraryImport(Library)]
    public static partial int WHvSetVirtualProcessorRegisters(
        nint partition, uint vpIndex, uint* registerNames, uint registerCount, WhvRegisterValue* registerValues);

    [LibraryImport(Library)]
    public static partial int WHvGetVirtualProcessorXsaveState(
        nint partition, uint vpIndex, void* buffer, uint bufferSizeInBytes, uint* bytesWritten);

    [LibraryImport(Library)]
    public static partial int WHvSetVirtualProcessorXsaveState(nint partition, uint vpIndex, void* buffer, uint bufferSizeInBytes);
}
