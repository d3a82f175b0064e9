using System.Buffers.Binary;
using System.Numerics;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Tells beforehand whether a division raises #DE, which must not reach this process: then the managed machine alone is
/// asked, and has to raise it.
/// </summary>
internal static class DivideGuard
{
    public static bool Faults(in Instruction instruction, in CpuState state, ulong operandAddress, ReadOnlySpan<byte> data)
    {
        if (instruction.Mnemonic is not (Mnemonic.Div or Mnemonic.Idiv))
        {
            return false;
        }

        bool isMemory = instruction.Op0Kind == OpKind.Memory;
        int size = isMemory ? instruction.MemorySize.GetSize() : instruction.Op0Register.GetSize();
        ulong operand = isMemory ? ReadMemory(data, operandAddress, size) : ReadRegister(instruction.Op0Register, in state);
        ulong rax = state.General[CpuState.Rax];
        BigInteger low = size == 1 ? rax & 0xFFFF : Truncate(rax, size);
        BigInteger dividend = size == 1 ? low : low + ((BigInteger)Truncate(state.General[CpuState.Rdx], size) << (8 * size));
        BigInteger divisor = Truncate(operand, size);
        BigInteger smallest = 0;
        BigInteger largest = (BigInteger.One << (8 * size)) - 1;
        if (instruction.Mnemonic == Mnemonic.Idiv)
        {
            dividend = Signed(dividend, 16 * size);
            divisor = Signed(divisor, 8 * size);
            smallest = -(BigInteger.One << ((8 * size) - 1));
            largest = -smallest - 1;
        }

        if (divisor.IsZero)
        {
            return true;
        }

        BigInteger quotient = BigInteger.Divide(dividend, divisor);
        return quotient < smallest || quotient > largest;
    }

    private static BigInteger Signed(BigInteger value, int bits) =>
        value >> (bits - 1) == BigInteger.Zero ? value : value - (BigInteger.One << bits);

    private static ulong Truncate(ulong value, int size) => size == 8 ? value : value & ((1UL << (8 * size)) - 1);

    private static ulong ReadRegister(Register register, in CpuState state)
    {
        ulong full = state.General[register.GetFullRegister() - Register.RAX];
        return register is >= Register.AH and <= Register.BH ? full >> 8 & 0xFF : Truncate(full, register.GetSize());
    }

    private static ulong ReadMemory(ReadOnlySpan<byte> data, ulong address, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        data.Slice((int)(address - TestMemory.Data), size).CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
