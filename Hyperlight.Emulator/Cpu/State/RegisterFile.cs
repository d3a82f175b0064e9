using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The general registers of a <see cref="ProcessorState"/>, in encoding order, and one that stays zero.</summary>
/// <remarks>Unsafe because they are outside the managed heap. The processor that has the file keeps the memory.</remarks>
internal readonly unsafe struct RegisterFile(ProcessorState* state)
{
    private readonly ProcessorState* _state = state;

    public ref ulong this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: the decoder gives no other number to a general register, nor does any constant. They are the first field of the state;
            // through its name, the runtime would look each time whether there is a state.
            Debug.Assert((uint)index < ProcessorState.RegisterCount, "There is no such register.");
            return ref ((ulong*)_state)[index];
        }
    }
}

/// <summary>XMM0 to XMM15 of a <see cref="ProcessorState"/>.</summary>
/// <inheritdoc cref="RegisterFile" path="/remarks"/>
internal readonly unsafe struct XmmFile(ProcessorState* state)
{
    private readonly ProcessorState* _state = state;

    /// <summary>All registers in order.</summary>
    public Span<byte> Bytes => new(_state->Xmm, ProcessorState.XmmCount * ProcessorState.XmmSize);

    public ref Vector128<byte> this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // SAFETY: as above.
            Debug.Assert((uint)index < ProcessorState.XmmCount, "There is no such register.");
            return ref ((Vector128<byte>*)_state->Xmm)[index];
        }
    }
}
