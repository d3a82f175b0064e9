using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>Translations outside the managed heap, for rights that only some guests use.</summary>
internal sealed unsafe class TlbMemory : SafeHandle
{
    public TlbMemory()
        : base(0, ownsHandle: true) => SetHandle((nint)NativeMemory.Alloc(Tlb.Size));

    public override bool IsInvalid => handle == 0;

    public TlbEntry* Entries => (TlbEntry*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
