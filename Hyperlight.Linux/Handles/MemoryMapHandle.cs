using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>A mapping made by mmap; its value is the address of the first usable byte.</summary>
internal sealed class MemoryMapHandle : KernelHandle
{
    private readonly FileDescriptorHandle? _file;
    private readonly nuint _guard;
    private readonly nuint _length;

    /// <summary>Takes ownership of a mapping.</summary>
    /// <param name="kernel">The kernel that made it.</param>
    /// <param name="address">What mmap returned.</param>
    /// <param name="length">The length that mmap was given.</param>
    /// <param name="guard">Bytes at the beginning that are not usable.</param>
    /// <param name="parent">What must stay while the mapping exists.</param>
    /// <param name="file">A descriptor that is closed after the mapping is gone, and not before.</param>
    public MemoryMapHandle(
        ILinuxKernel kernel, nint address, nuint length, nuint guard = 0, SafeHandle? parent = null, FileDescriptorHandle? file = null)
        : base(kernel, invalid: 0, address + (nint)guard, parent)
    {
        _file = file;
        _guard = guard;
        _length = length;
    }

    public override bool IsInvalid => handle == 0;

    protected override int Release(out string operation)
    {
        operation = "munmap";
        return Kernel.UnmapMemory(handle - (nint)_guard, _length);
    }

    protected override void ReleaseDependents() => _file?.Dispose();
}
