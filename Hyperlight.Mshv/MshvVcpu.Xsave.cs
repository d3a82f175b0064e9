using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// Vector and floating-point state: an XSAVE image in compacted form, by MSHV_GET_VP_STATE and MSHV_SET_VP_STATE. The kernel
/// wants whole pages for it.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    private const int GuestPageSize = GuestPage.Size;

    /// <summary>XCOMP_BV: which components the image has room for. Without it the hypervisor refuses the image.</summary>
    private const int XcompBvOffset = 520;

    /// <summary>Larger than any processor's image.</summary>
    private const int LargestXsave = 1 << 20;

    private MemoryMapHandle? _xsave;
    private int _xsaveCapacity;
    private ulong _xcompBv;

    /// <summary>Bytes of the image.</summary>
    public int XsaveSize { get; private set; }

    public FpuRegisters GetFpuRegisters()
    {
        ThrowIfDisposed();
        ReadXsave();
        return XsaveLegacyArea.Read(XsaveImage);
    }

    public void SetFpuRegisters(in FpuRegisters registers)
    {
        ThrowIfDisposed();
        Span<byte> image = XsaveImage;
        image.Clear();
        XsaveLegacyArea.Write(in registers, image);
        BinaryPrimitives.WriteUInt64LittleEndian(image[XcompBvOffset..], _xcompBv);
        WriteXsave();
    }

    /// <summary>MSHV_GET_VP_STATE.</summary>
    public void GetXsave(Span<byte> destination)
    {
        ThrowIfDisposed();
        if (destination.Length < XsaveSize)
        {
            throw new ArgumentException($"The XSAVE image has {XsaveSize} bytes, the buffer {destination.Length}.", nameof(destination));
        }

        ReadXsave();
        XsaveImage.CopyTo(destination);
    }

    /// <summary>MSHV_SET_VP_STATE.</summary>
    public void SetXsave(ReadOnlySpan<byte> source)
    {
        ThrowIfDisposed();
        if (source.Length != XsaveSize)
        {
            throw new ArgumentException($"The XSAVE image has {XsaveSize} bytes, not {source.Length}.", nameof(source));
        }

        source.CopyTo(XsaveImage);
        WriteXsave();
    }

    // SAFETY: the mapping is at least as large as the image, and lives as long as the processor.
    private Span<byte> XsaveImage => new((void*)_xsave!.DangerousGetHandle(), XsaveSize);

    /// <summary>Finds out how large the image is, and allocates pages for it.</summary>
    private void AllocateXsave()
    {
        for (_xsaveCapacity = GuestPageSize; ; )
        {
            nint address = _system.Kernel.MapMemory(
                (nuint)_xsaveCapacity, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, fd: -1);
            MshvError.Check(address is < 0 and >= -4095 ? (int)address : 0, "mmap of the XSAVE image");
            _xsave = new MemoryMapHandle(_system.Kernel, address, (nuint)_xsaveCapacity);
            int result = TransferXsave(MshvIoctls.MSHV_GET_VP_STATE, out uint size);
            if (result >= 0 && size <= _xsaveCapacity && size > XcompBvOffset + sizeof(ulong))
            {
                XsaveSize = (int)size;
                _xcompBv = BinaryPrimitives.ReadUInt64LittleEndian(XsaveImage[XcompBvOffset..]);
                return;
            }

            _xsave.Dispose();
            if (result >= 0 || result != -Errno.EINVAL || size <= _xsaveCapacity || size > LargestXsave)
            {
                throw MshvError.Create(result < 0 ? result : -Errno.EOVERFLOW, nameof(MshvIoctls.MSHV_GET_VP_STATE));
            }

            // EINVAL with a larger size: that is how much room it takes.
            _xsaveCapacity = (int)GuestPage.RoundUp(size);
        }
    }

    private void ReadXsave() =>
        MshvError.Check(TransferXsave(MshvIoctls.MSHV_GET_VP_STATE, out _), nameof(MshvIoctls.MSHV_GET_VP_STATE));

    private void WriteXsave() =>
        MshvError.Check(TransferXsave(MshvIoctls.MSHV_SET_VP_STATE, out _), nameof(MshvIoctls.MSHV_SET_VP_STATE));

    private int TransferXsave(uint request, out uint size)
    {
        // SAFETY: the structure says how large the buffer is, which stays in place.
        MshvGetSetVpState state = new()
        {
            Type = MshvGetSetVpState.MSHV_VP_STATE_XSAVE,
            BufSz = (uint)_xsaveCapacity,
            BufPtr = (void*)_xsave!.DangerousGetHandle(),
        };
        int result;
        do
        {
            result = _handle.Ioctl(request, &state);
        }
        while (result == -Errno.EINTR);

        size = state.BufSz;
        return result;
    }
}
