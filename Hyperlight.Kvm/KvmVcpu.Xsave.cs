using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// Vector and floating-point state. All of it goes through the XSAVE image: KVM_GET_FPU and KVM_SET_FPU leave out MXCSR.
/// </summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>The image of KVM_GET_XSAVE; larger ones need KVM_GET_XSAVE2.</summary>
    private const int SmallestXsave = 4096;

    /// <summary>The largest image that is read onto the stack.</summary>
    private const int LargestOnStack = 16384;

    /// <summary>The image that <see cref="SetFpuRegisters"/> writes, kept for the next call.</summary>
    private byte[]? _fpuImage;

    /// <summary>Bytes of the image.</summary>
    public int XsaveSize { get; }

    public FpuRegisters GetFpuRegisters()
    {
        Span<byte> image = XsaveSize <= LargestOnStack ? stackalloc byte[XsaveSize] : new byte[XsaveSize];
        GetXsave(image);
        return XsaveLegacyArea.Read(image);
    }

    public void SetFpuRegisters(in FpuRegisters registers)
    {
        _fpuImage ??= new byte[XsaveSize];
        XsaveLegacyArea.Write(in registers, _fpuImage);
        SetXsave(_fpuImage);
    }

    /// <summary>KVM_GET_XSAVE or KVM_GET_XSAVE2.</summary>
    public void GetXsave(Span<byte> destination)
    {
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        // SAFETY: the buffer has the size that the request writes, which was just checked.
        fixed (byte* image = destination)
        {
            bool large = XsaveSize > SmallestXsave;
            int result = _handle.Ioctl(large ? KvmIoctls.KVM_GET_XSAVE2 : KvmIoctls.KVM_GET_XSAVE, image);
            KvmError.Check(result, large ? nameof(KvmIoctls.KVM_GET_XSAVE2) : nameof(KvmIoctls.KVM_GET_XSAVE));
        }
    }

    /// <summary>KVM_SET_XSAVE.</summary>
    public void SetXsave(ReadOnlySpan<byte> source)
    {
        XsaveBuffers.CheckSource(source, XsaveSize);
        // SAFETY: the buffer has the size that the request reads, which was just checked.
        fixed (byte* image = source)
        {
            KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_XSAVE, image), nameof(KvmIoctls.KVM_SET_XSAVE));
        }
    }
}
