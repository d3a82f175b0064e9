using Hyperlight.Abstractions;
using Hyperlight.Host.Elf;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>A guest's image in this process, where its functions can be called. For guests that we made ourselves.</summary>
internal sealed unsafe class NativeImage : IDisposable
{
    private const int PROT_EXEC = 4;

    private readonly nuint _size;

    private NativeImage(nint address, nuint size)
    {
        Address = address;
        _size = size;
    }

    /// <summary>Where the image begins.</summary>
    public nint Address { get; }

    /// <summary>Maps memory that may be executed, and loads an image into it.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static NativeImage Load(ElfImage elf)
    {
        nuint size = (nuint)GuestPage.RoundUp(elf.LoadedSize);
        nint address = BareLibC.Map(
            0, size, LibC.PROT_READ | LibC.PROT_WRITE | PROT_EXEC, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1, 0);
        BareKvm.Check(address, "mmap");
        using var loaded = new ManagedMemoryRegion(size);
        elf.Load(loaded, (ulong)address);

        // SAFETY: the mapping has this size.
        loaded.Read(0, new Span<byte>((void*)address, (int)size));
        return new NativeImage(address, size);
    }

    public void Dispose() => _ = BareLibC.Unmap(Address, _size);
}
