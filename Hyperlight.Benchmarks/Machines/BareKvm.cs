using System.Runtime.InteropServices;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>The open KVM device and memory for one guest, without the driver.</summary>
internal sealed unsafe class BareKvm : IDisposable
{
    private BareKvm(int device, nint memory)
    {
        Device = device;
        Memory = memory;
    }

    /// <summary>The device.</summary>
    public int Device { get; }

    /// <summary>Address of <see cref="ExitLoopGuest.MemorySize"/> bytes that hold the guest.</summary>
    public nint Memory { get; }

    /// <summary>Opens the device and loads the guest.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static BareKvm Open()
    {
        nint memory = BareLibC.Map(
            0, ExitLoopGuest.MemorySize, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1, 0);
        Check(memory, "mmap");

        // SAFETY: the mapping has this size.
        ExitLoopGuest.Write(new Span<byte>((void*)memory, ExitLoopGuest.MemorySize));

        // SAFETY: a UTF-8 literal ends in NUL.
        fixed (byte* path = "/dev/kvm"u8)
        {
            int device = BareLibC.Open(path, LibC.O_RDWR | LibC.O_CLOEXEC);
            return new BareKvm((int)Check(device, "open"), memory);
        }
    }

    /// <summary>Refuses what the kernel refused.</summary>
    /// <returns>The result.</returns>
    /// <exception cref="IOException">The result is negative.</exception>
    public static nint Check(nint result, string operation) => result >= 0
        ? result
        : throw new IOException($"{operation} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastSystemError())}");

    /// <summary>KVM_CREATE_VM, repeated while signals interrupt it.</summary>
    public int CreateVm()
    {
        while (true)
        {
            int vm = BareLibC.Ioctl(Device, KvmIoctls.KVM_CREATE_VM, 0);
            if (vm >= 0 || Marshal.GetLastSystemError() != Linux.Errno.EINTR)
            {
                return (int)Check(vm, nameof(KvmIoctls.KVM_CREATE_VM));
            }
        }
    }

    public void Dispose()
    {
        _ = BareLibC.Close(Device);
        _ = BareLibC.Unmap(Memory, ExitLoopGuest.MemorySize);
    }
}
