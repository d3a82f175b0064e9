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

    /// <summary>Larger than any processor's image.</summary>
    private const int LargestXsave = 1 << 20;

    /// <summary>Bytes of the image.</summary>
    public int XsaveSize => _xsave.Size;

    public FpuRegisters GetFpuRegisters()
    {
        ThrowIfDisposed();
        ReadXsave();
        return XsaveLegacyArea.Read(XsaveImage);
    }

    public void SetFpuRegisters(in FpuRegisters registers)
    {
        ThrowIfDisposed();
        XsaveLegacyArea.WriteCompacted(in registers, XsaveImage, _xsave.XcompBv);
        WriteXsave();
    }

    /// <summary>MSHV_GET_VP_STATE.</summary>
    public void GetXsave(Span<byte> destination)
    {
        ThrowIfDisposed();
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        ReadXsave();
        XsaveImage.CopyTo(destination);
    }

    /// <summary>MSHV_SET_VP_STATE.</summary>
    public void SetXsave(ReadOnlySpan<byte> source)
    {
        ThrowIfDisposed();
        XsaveBuffers.CheckSource(source, XsaveSize);
        source.CopyTo(XsaveImage);
        WriteXsave();
    }

    // SAFETY: the mapping is at least as large as the image, and lives as long as the processor.
    private Span<byte> XsaveImage => new((void*)_xsave.Pages.DangerousGetHandle(), XsaveSize);

    /// <summary>Allocates pages for the image. How large it is has to be found out once.</summary>
    /// <exception cref="HypervisorException">The kernel refused; nothing is left behind.</exception>
    private static XsaveMemory AllocateXsave(MshvSystem system, FileDescriptorHandle handle)
    {
        if (system.XsaveFormat is { Size: > 0 } known)
        {
            int size = (int)GuestPage.RoundUp((uint)known.Size);
            return new XsaveMemory(MapXsave(system.Kernel, size), size, known.Size, known.XcompBv);
        }

        XsaveMemory found = FindXsave(system.Kernel, handle);
        system.XsaveFormat = (found.Size, found.XcompBv);
        return found;
    }

    private static MemoryMapHandle MapXsave(ILinuxKernel kernel, int capacity)
    {
        nint address = kernel.MapMemory(
            (nuint)capacity, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, fd: -1);
        MshvError.Check(address is < 0 and >= -4095 ? (int)address : 0, "mmap of the XSAVE image");
        return new MemoryMapHandle(kernel, address, (nuint)capacity);
    }

    /// <summary>Finds out how large the image is.</summary>
    /// <exception cref="HypervisorException">The kernel refused; nothing is left behind.</exception>
    private static XsaveMemory FindXsave(ILinuxKernel kernel, FileDescriptorHandle handle)
    {
        int capacity = GuestPageSize;
        while (true)
        {
            MemoryMapHandle pages = MapXsave(kernel, capacity);
            int result = TransferXsave(handle, MshvIoctls.MSHV_GET_VP_STATE, pages, capacity, out uint size);
            if (result >= 0 && size <= capacity && size >= XsaveLegacyArea.XcompBv + sizeof(ulong))
            {
                // SAFETY: the kernel has just written as many bytes.
                ulong xcompBv = *(ulong*)((byte*)pages.DangerousGetHandle() + XsaveLegacyArea.XcompBv);
                return new XsaveMemory(pages, capacity, (int)size, xcompBv);
            }

            pages.Dispose();
            if (result != -Errno.EINVAL || size <= capacity || size > LargestXsave)
            {
                throw MshvError.Create(result < 0 ? result : -Errno.EOVERFLOW, nameof(MshvIoctls.MSHV_GET_VP_STATE));
            }

            // EINVAL with a larger size: that is how much room it takes.
            capacity = (int)GuestPage.RoundUp(size);
        }
    }

    private static int TransferXsave(FileDescriptorHandle handle, uint request, MemoryMapHandle pages, int capacity, out uint size)
    {
        // SAFETY: the structure says how large the buffer is, which stays in place.
        MshvGetSetVpState state = new()
        {
            Type = MshvGetSetVpState.MSHV_VP_STATE_XSAVE,
            BufSz = (uint)capacity,
            BufPtr = (void*)pages.DangerousGetHandle(),
        };
        int result;
        do
        {
            result = handle.Ioctl(request, &state);
        }
        while (result == -Errno.EINTR);

        size = state.BufSz;
        return result;
    }

    private void ReadXsave() => MshvError.Check(
        TransferXsave(_handle, MshvIoctls.MSHV_GET_VP_STATE, _xsave.Pages, _xsave.Capacity, out _),
        nameof(MshvIoctls.MSHV_GET_VP_STATE));

    private void WriteXsave() => MshvError.Check(
        TransferXsave(_handle, MshvIoctls.MSHV_SET_VP_STATE, _xsave.Pages, _xsave.Capacity, out _),
        nameof(MshvIoctls.MSHV_SET_VP_STATE));

    /// <summary>The memory of the image.</summary>
    /// <param name="Pages">Whole pages.</param>
    /// <param name="Capacity">Bytes of the pages.</param>
    /// <param name="Size">Bytes of the image.</param>
    /// <param name="XcompBv">What the image of a fresh processor has room for.</param>
    private sealed record XsaveMemory(MemoryMapHandle Pages, int Capacity, int Size, ulong XcompBv);
}
