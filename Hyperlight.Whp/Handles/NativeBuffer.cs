using System.Runtime.InteropServices;

namespace Hyperlight.Whp;

/// <summary>Native memory at an address that the platform's functions accept, zero at first.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    /// <summary>More than any of the functions needs.</summary>
    private const nuint Alignment = 64;

    public NativeBuffer(nuint size)
        : base(0, ownsHandle: true)
    {
        void* memory = NativeMemory.AlignedAlloc(size, Alignment);
        NativeMemory.Clear(memory, size);
        SetHandle((nint)memory);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The first byte. The owner keeps this object alive while it uses the memory.</summary>
    public byte* Pointer => (byte*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
