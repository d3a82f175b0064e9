using System.Runtime.InteropServices;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// The memory of one processor outside the managed heap: its state and the translations of supervisor accesses. It is freed
/// when it is disposed and no run uses it, or with the processor.
/// </summary>
internal sealed unsafe class ProcessorMemory : SafeHandle
{
    private const nuint CacheLine = 64;

    private LinkEntry* _links;

    public ProcessorMemory()
        : base(0, ownsHandle: true)
    {
        nuint stateSize = ((nuint)sizeof(ProcessorState) + CacheLine - 1) & ~(CacheLine - 1);
        void* memory = NativeMemory.AlignedAlloc(stateSize + Tlb.Size, CacheLine);
        NativeMemory.Clear(memory, stateSize);
        SetHandle((nint)memory);
        Translations = (TlbEntry*)((byte*)memory + stateSize);
    }

    public override bool IsInvalid => handle == 0;

    public ProcessorState* State => (ProcessorState*)handle;

    /// <summary>Memory for <see cref="Tlb.Count"/> translations, not initialized.</summary>
    public TlbEntry* Translations { get; }

    /// <summary>Memory for the entries of a <see cref="LinkTable"/>, not initialized: most machines run no emitted code.</summary>
    public LinkEntry* AllocateLinks() => _links = (LinkEntry*)NativeMemory.AlignedAlloc(LinkTable.Size, CacheLine);

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree(_links);
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
