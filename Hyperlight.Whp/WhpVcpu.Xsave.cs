using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// Vector and floating-point state: an XSAVE image in compacted form, by WHvGetVirtualProcessorXsaveState and
/// WHvSetVirtualProcessorXsaveState.
/// </summary>
internal sealed unsafe partial class WhpVcpu
{
    /// <summary>The legacy area and the header.</summary>
    private const int SmallestXsave = 576;

    /// <summary>Larger than any processor's image.</summary>
    private const int LargestXsave = 1 << 20;

    private NativeBuffer? _xsave;

    /// <summary>Bytes of the image.</summary>
    public int XsaveSize => _system.Xsave!.Size;

    // SAFETY: the buffer is as large as the image, and lives as long as the processor.
    private Span<byte> XsaveImage => new(_xsave!.Pointer, XsaveSize);

    public FpuRegisters GetFpuRegisters()
    {
        ReadXsave();
        return XsaveLegacyArea.Read(XsaveImage);
    }

    public void SetFpuRegisters(in FpuRegisters registers)
    {
        _ = _partition.Value;
        XsaveLegacyArea.WriteCompacted(in registers, XsaveImage, _system.Xsave!.XcompBv);
        WriteXsave();
    }

    /// <summary>WHvGetVirtualProcessorXsaveState.</summary>
    public void GetXsave(Span<byte> destination)
    {
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        ReadXsave();
        XsaveImage.CopyTo(destination);
    }

    /// <summary>WHvSetVirtualProcessorXsaveState.</summary>
    public void SetXsave(ReadOnlySpan<byte> source)
    {
        _ = _partition.Value;
        XsaveBuffers.CheckSource(source, XsaveSize);
        source.CopyTo(XsaveImage);
        WriteXsave();
    }

    /// <summary>Finds out how large the image is and what it has room for, once, and allocates memory for it.</summary>
    private void LearnXsaveFormat()
    {
        if (_system.Xsave is { } known)
        {
            _xsave = new NativeBuffer((nuint)known.Size);
            return;
        }

        const string Function = nameof(WinHvPlatform.WHvGetVirtualProcessorXsaveState);
        uint size;
        int result = _partition.WinHv.GetVirtualProcessorXsaveState(_partition.Value, WhpPartition.Vp, null, 0, &size);
        if (result != HResults.WHV_E_INSUFFICIENT_BUFFER)
        {
            WhpError.Check(result, Function);
        }

        if (size is < SmallestXsave or > LargestXsave)
        {
            throw new HypervisorException(WhpHypervisor.DriverName, Function, 0, $"an XSAVE image of {size} bytes is not possible");
        }

        _xsave = new NativeBuffer(size);
        WhpError.Check(
            _partition.WinHv.GetVirtualProcessorXsaveState(_partition.Value, WhpPartition.Vp, _xsave.Pointer, size, &size), Function);
        ulong xcompBv = *(ulong*)(_xsave.Pointer + XsaveLegacyArea.XcompBv);
        _system.Xsave = new XsaveFormat((int)size, xcompBv);
    }

    private void ReadXsave()
    {
        uint written;
        WhpError.Check(
            _partition.WinHv.GetVirtualProcessorXsaveState(
                _partition.Value, WhpPartition.Vp, _xsave!.Pointer, (uint)XsaveSize, &written),
            nameof(WinHvPlatform.WHvGetVirtualProcessorXsaveState));
    }

    private void WriteXsave() => WhpError.Check(
        _partition.WinHv.SetVirtualProcessorXsaveState(_partition.Value, WhpPartition.Vp, _xsave!.Pointer, (uint)XsaveSize),
        nameof(WinHvPlatform.WHvSetVirtualProcessorXsaveState));
}
