using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Execution;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>
/// The smallest guest that leaves its machine again and again: an OUT and a jump back to it, in 64-bit mode at privilege
/// level 0 like every sandbox's guest.
/// </summary>
internal static class ExitLoopGuest
{
    /// <summary>Bytes of guest physical memory, from address 0.</summary>
    public const int MemorySize = 4 * GuestPage.Size;

    private const int RootTable = 0;
    private const int PointerTable = GuestPage.Size;
    private const int Directory = 2 * GuestPage.Size;
    private const int Code = 3 * GuestPage.Size;

    private const ulong PresentWritable = 0x3;
    private const ulong PresentWritableLarge = 0x83;

    /// <summary>The special registers the guest starts with.</summary>
    public static SpecialRegisters SpecialRegisters => InitialRegisters.Special(RootTable);

    /// <summary>The general registers the guest starts with.</summary>
    public static GeneralRegisters GeneralRegisters => new() { Rip = Code, Rflags = GeneralRegisters.RflagsReset };

    /// <summary>Writes page tables and code.</summary>
    public static void Write(Span<byte> memory)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(memory[RootTable..], PointerTable | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[PointerTable..], Directory | PresentWritable);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[Directory..], PresentWritableLarge);

        // out 0x6c, eax; jmp back to it.
        ReadOnlySpan<byte> code = [0xE7, 0x6C, 0xEB, 0xFC];
        code.CopyTo(memory[Code..]);
    }
}
