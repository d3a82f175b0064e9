using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>A file descriptor.</summary>
internal class FileDescriptorHandle : KernelHandle
{
    public FileDescriptorHandle(ILinuxKernel kernel, int fd, SafeHandle? parent = null)
        : base(kernel, invalid: -1, fd, parent)
    {
    }

    public override bool IsInvalid => handle < 0;

    private int Descriptor
    {
        get
        {
            // After it is closed, the number may be used for another file.
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (int)handle;
        }
    }

    /// <summary>ioctl with a value.</summary>
    public int Ioctl(uint request, nint argument)
    {
        int result = Kernel.Ioctl(Descriptor, request, argument);
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>ioctl with the address of a structure.</summary>
    // SAFETY: the caller passes the address of the structure that the request takes, and keeps it in place.
    public unsafe int Ioctl(uint request, void* argument) => Ioctl(request, (nint)argument);

    /// <summary>fstat.</summary>
    public int Stat(out FileStatus status)
    {
        int result = Kernel.Stat(Descriptor, out status);
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>pread.</summary>
    public nint ReadAt(Span<byte> buffer, long offset)
    {
        nint result = Kernel.ReadAt(Descriptor, buffer, offset);
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>mmap of the file's beginning.</summary>
    public nint Map(nuint length, int protection, int flags)
    {
        nint result = Kernel.MapMemory(length, protection, flags, Descriptor);
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>mmap of memory in the place of a part of what <see cref="Map"/> has mapped.</summary>
    public int Replace(nint address, nuint length, int protection) => Kernel.ReplaceMemory(address, length, protection);

    /// <summary>mprotect of a part of what <see cref="Map"/> has mapped.</summary>
    public int Protect(nint address, nuint length, int protection) => Kernel.ProtectMemory(address, length, protection);

    protected override int Release(out string operation)
    {
        operation = "close";
        return Kernel.Close((int)handle);
    }
}
