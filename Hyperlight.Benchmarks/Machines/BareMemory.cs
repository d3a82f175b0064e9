using System.Runtime.InteropServices;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>Private zero-filled memory, straight from the kernel.</summary>
internal sealed unsafe class BareMemory : IDisposable
{
    /// <param name="size">Bytes, a multiple of a page.</param>
    /// <exception cref="IOException">The kernel refused.</exception>
    public BareMemory(nuint size)
    {
        const int Flags = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE;
        Address = BareKvm.Check(BareLibC.Map(0, size, LibC.PROT_READ | LibC.PROT_WRITE, Flags, -1, 0), "mmap");
        Size = size;
    }

    /// <summary>Where it is.</summary>
    public nint Address { get; }

    /// <summary>Bytes.</summary>
    public nuint Size { get; }

    /// <summary>Fills a range from the start with a value.</summary>
    public void Fill(nuint length, byte value) => NativeMemory.Fill((void*)Address, Checked(length), value);

    /// <summary>Overwrites a range from the start with zeros.</summary>
    public void Clear(nuint length) => NativeMemory.Clear((void*)Address, Checked(length));

    /// <summary>Gives all pages back to the kernel, so that they read as zero.</summary>
    public void Discard() => BareKvm.Check(BareLibC.Advise(Address, Size, LibC.MADV_DONTNEED), "madvise");

    /// <summary>Copies the start of other memory to the start of this one.</summary>
    public void CopyFrom(BareMemory source, nuint length) =>
        NativeMemory.Copy((void*)source.Address, (void*)Address, Math.Min(source.Checked(length), Checked(length)));

    public void Dispose() => _ = BareLibC.Unmap(Address, Size);

    // SAFETY: every access passes this check. Used by one thread, which does not use it after its end.
    private nuint Checked(nuint length) => length <= Size ? length : throw new ArgumentOutOfRangeException(nameof(length));
}
