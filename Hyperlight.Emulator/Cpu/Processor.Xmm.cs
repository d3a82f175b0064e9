using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The state of SSE: XMM registers and MXCSR.</summary>
internal sealed unsafe partial class Processor
{
    /// <summary>Bits of MXCSR that can be set, as FXSAVE reports them in MXCSR_MASK.</summary>
    private const uint MxcsrBits = 0xFFFF;

    private readonly XmmFile _xmm = new(native.State);
    private uint _mxcsr = FpuRegisters.MxcsrReset;

    /// <summary>All registers in order, as FXSAVE and XSAVE hold them.</summary>
    private Span<byte> XmmBytes => _xmm.Bytes;

    /// <summary>An XMM register as an integer: its lowest bits are element 0.</summary>
    private static UInt128 ToInteger(Vector128<byte> value) => Unsafe.BitCast<Vector128<byte>, UInt128>(value);

    private static Vector128<byte> ToVector(UInt128 value) => Unsafe.BitCast<UInt128, Vector128<byte>>(value);
}
