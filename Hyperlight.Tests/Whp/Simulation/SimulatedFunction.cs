namespace Hyperlight.Tests.Whp;

/// <summary>The functions of the library, for counting calls.</summary>
internal enum SimulatedFunction
{
    WHvGetCapability,
    WHvCreatePartition,
    WHvSetPartitionProperty,
    WHvSetupPartition,
    WHvDeletePartition,
    WHvCreateVirtualProcessor,
    WHvMapGpaRange,
    WHvMapGpaRange2,
    WHvUnmapGpaRange,
    WHvTranslateGva,
    WHvRunVirtualProcessor,
    WHvCancelRunVirtualProcessor,
    WHvGetVirtualProcessorRegisters,
    WHvSetVirtualProcessorRegisters,
    WHvGetVirtualProcessorXsaveState,
    WHvSetVirtualProcessorXsaveState,
}
