using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Decoding;

/// <summary>The bytes of a block and the instructions that they are at an address. It never changes, so machines share it.</summary>
internal sealed class DecodedCode(ulong rip, byte[] bytes, MicroOp[] ops)
{
    /// <summary>Its object, and those of its arrays.</summary>
    private const int FixedSize = 96;

    /// <summary>Linear address of the first instruction.</summary>
    public ulong Rip { get; } = rip;

    public byte[] Bytes { get; } = bytes;

    public MicroOp[] Ops { get; } = ops;

    /// <summary>About how many bytes of the host's memory it takes.</summary>
    public int MemorySize => FixedSize + Bytes.Length + (Ops.Length * Unsafe.SizeOf<MicroOp>());
}
