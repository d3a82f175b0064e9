using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>The winhvplatform.dll of this Windows.</summary>
internal sealed unsafe class WinHv : IWinHv
{
    /// <summary>The one instance.</summary>
    public static readonly WinHv Instance = new();

    /// <summary>What every version of the library has; a function that is missing here would fail at its first call.</summary>
    private static readonly string[] Required =
    [
        nameof(WinHvPlatform.WHvGetCapability),
        nameof(WinHvPlatform.WHvCreatePartition),
        nameof(WinHvPlatform.WHvSetPartitionProperty),
        nameof(WinHvPlatform.WHvSetupPartition),
        nameof(WinHvPlatform.WHvDeletePartition),
        nameof(WinHvPlatform.WHvCreateVirtualProcessor),
        nameof(WinHvPlatform.WHvMapGpaRange),
        nameof(WinHvPlatform.WHvUnmapGpaRange),
        nameof(WinHvPlatform.WHvTranslateGva),
        nameof(WinHvPlatform.WHvRunVirtualProcessor),
        nameof(WinHvPlatform.WHvCancelRunVirtualProcessor),
        nameof(WinHvPlatform.WHvGetVirtualProcessorRegisters),
        nameof(WinHvPlatform.WHvSetVirtualProcessorRegisters),
        nameof(WinHvPlatform.WHvGetVirtualProcessorXsaveState),
        nameof(WinHvPlatform.WHvSetVirtualProcessorXsaveState),
    ];

    private readonly Lock _loading = new();
    private IReadOnlyList<string>? _missing;
    private delegate* unmanaged<nint, nint, void*, ulong, ulong, uint, int> _mapGpaRange2;

    private WinHv()
    {
    }

    public IReadOnlyList<string>? Load()
    {
        lock (_loading)
        {
            if (_missing is null
                && NativeLibrary.TryLoad(WinHvPlatform.Library, typeof(WinHv).Assembly, DllImportSearchPath.System32, out nint library))
            {
                List<string> missing = [.. Required.Where(name => !NativeLibrary.TryGetExport(library, name, out _))];
                if (NativeLibrary.TryGetExport(library, WinHvExports.WHvMapGpaRange2, out nint address))
                {
                    // SAFETY: the declaration of winhvplatform.h; the library is never unloaded.
                    _mapGpaRange2 = (delegate* unmanaged<nint, nint, void*, ulong, ulong, uint, int>)address;
                }
                else
                {
                    missing.Add(WinHvExports.WHvMapGpaRange2);
                }

                _missing = missing;
            }

            return _missing;
        }
    }

    public int GetCapability(uint code, void* buffer, uint size, uint* written) =>
        WinHvPlatform.WHvGetCapability(code, buffer, size, written);

    public int CreatePartition(nint* partition) => WinHvPlatform.WHvCreatePartition(partition);

    public int SetPartitionProperty(nint partition, uint code, void* buffer, uint size) =>
        WinHvPlatform.WHvSetPartitionProperty(partition, code, buffer, size);

    public int SetupPartition(nint partition) => WinHvPlatform.WHvSetupPartition(partition);

    public int DeletePartition(nint partition) => WinHvPlatform.WHvDeletePartition(partition);

    public int CreateVirtualProcessor(nint partition, uint index, uint flags) =>
        WinHvPlatform.WHvCreateVirtualProcessor(partition, index, flags);

    public int MapGpaRange(nint partition, void* source, ulong guestAddress, ulong size, uint flags) =>
        WinHvPlatform.WHvMapGpaRange(partition, source, guestAddress, size, flags);

    public int MapGpaRange2(nint partition, nint process, void* source, ulong guestAddress, ulong size, uint flags) =>
        _mapGpaRange2 is null ? HResults.E_NOTIMPL : _mapGpaRange2(partition, process, source, guestAddress, size, flags);

    public int UnmapGpaRange(nint partition, ulong guestAddress, ulong size) =>
        WinHvPlatform.WHvUnmapGpaRange(partition, guestAddress, size);

    public int TranslateGva(nint partition, uint index, ulong address, uint flags, WhvTranslateGvaResult* result, ulong* guestAddress) =>
        WinHvPlatform.WHvTranslateGva(partition, index, address, flags, result, guestAddress);

    public int RunVirtualProcessor(nint partition, uint index, void* exitContext, uint size) =>
        WinHvPlatform.WHvRunVirtualProcessor(partition, index, exitContext, size);

    public int CancelRunVirtualProcessor(nint partition, uint index, uint flags) =>
        WinHvPlatform.WHvCancelRunVirtualProcessor(partition, index, flags);

    public int GetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        WinHvPlatform.WHvGetVirtualProcessorRegisters(partition, index, names, count, values);

    public int SetVirtualProcessorRegisters(nint partition, uint index, uint* names, uint count, WhvRegisterValue* values) =>
        WinHvPlatform.WHvSetVirtualProcessorRegisters(partition, index, names, count, values);

    public int GetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size, uint* written) =>
        WinHvPlatform.WHvGetVirtualProcessorXsaveState(partition, index, buffer, size, written);

    public int SetVirtualProcessorXsaveState(nint partition, uint index, void* buffer, uint size) =>
        WinHvPlatform.WHvSetVirtualProcessorXsaveState(partition, index, buffer, size);
}
