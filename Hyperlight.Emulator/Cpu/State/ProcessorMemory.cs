using System.Runtime.InteropServices;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// The memory of one processor outside the managed heap: its state and translations. It is freed
/// when it is disposed and no run uses it, or with the processor.
/// </summary>
internal sealed unsafe class ProcessorMemory : SafeHandle
{
    private const nuint CacheLine = 64;

    /// <summary>
    /// Emitted code goes from one place of an address to the next by changing bits of the entry's address: the places must begin at a
    /// multiple of their size, or it would look outside the table.
    /// </summary>
    private const nuint LinkAlignment = LinkTable.Places << LinkEntry.Shift;

    private HashSet<nint>? _links;

    public ProcessorMemory()
        : base(0, ownsHandle: true)
    {
        void* memory = NativeMemory.AlignedAlloc(ProcessorState.WholeSize, CacheLine);
        ProcessorState.Reset((ProcessorState*)memory);
        SetHandle((nint)memory);
    }

    public override bool IsInvalid => handle == 0;

    public ProcessorState* State => (ProcessorState*)handle;

    /// <summary>Memory for the translations of supervisor accesses, not initialized.</summary>
    public TranslationMemory SupervisorTranslations =>
        Translations(ProcessorState.SupervisorTranslationsOffset, ProcessorState.SupervisorPredictionsOffset);

    /// <summary>The same for user accesses, which most guests do not have.</summary>
    public TranslationMemory UserTranslations =>
        Translations(ProcessorState.UserTranslationsOffset, ProcessorState.UserPredictionsOffset);

    /// <summary>Memory for the entries of a <see cref="LinkTable"/>, not initialized: most machines run no emitted code.</summary>
    public LinkEntry* AllocateLinks(int count)
    {
        void* links = NativeMemory.AlignedAlloc((nuint)count * (nuint)sizeof(LinkEntry), LinkAlignment);
        (_links ??= []).Add((nint)links);
        return (LinkEntry*)links;
    }

    /// <summary>Frees such memory before the rest.</summary>
    public void FreeLinks(LinkEntry* links)
    {
        if (_links?.Remove((nint)links) == true)
        {
            NativeMemory.AlignedFree(links);
        }
    }

    private TranslationMemory Translations(int entries, int predictions) =>
        new((TlbEntry*)(handle + entries), (byte*)(handle + predictions), (byte*)(handle + ProcessorState.UnusedPageOffset));

    protected override bool ReleaseHandle()
    {
        foreach (nint links in _links ?? [])
        {
            NativeMemory.AlignedFree((void*)links);
        }

        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
