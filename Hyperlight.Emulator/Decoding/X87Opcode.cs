using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>FOP: the low bits of the first byte of the opcode, and the second byte.</summary>
internal static class X87Opcode
{
    private const int IndirectBySib = 4;
    private const int ByRipOrDisplacement = 5;

    /// <summary>The eleven bits of an x87 instruction.</summary>
    public static ushort Find(in Instruction instruction)
    {
        OpCodeInfo info = instruction.Code.ToOpCode();
        uint opcode = info.OpCode;
        if (info.OpCodeLength == 2)
        {
            // Register forms are two bytes, the second of which counts up with the register.
            return (ushort)(((opcode >> 8 & 7) << 8) | (opcode & 0xFF) | StackRegister(in instruction));
        }

        return (ushort)(((opcode & 7) << 8) | (uint)ModRm(in instruction, Math.Max(info.GroupIndex, 0)));
    }

    private static uint StackRegister(in Instruction instruction)
    {
        uint register = 0;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register
                && instruction.GetOpRegister(i) is >= Register.ST0 and <= Register.ST7)
            {
                register |= (uint)(instruction.GetOpRegister(i) - Register.ST0);
            }
        }

        return register;
    }

    private static int ModRm(in Instruction instruction, int group)
    {
        Register address = instruction.MemoryBase;
        bool hasNoBase = address == Register.None;
        int mod = hasNoBase || instruction.IsIPRelativeMemoryOperand ? 0
            : instruction.MemoryDisplSize switch { 0 => 0, 1 => 1, _ => 2 };
        int rm = instruction.IsIPRelativeMemoryOperand ? ByRipOrDisplacement
            : hasNoBase || instruction.MemoryIndex != Register.None ? IndirectBySib
            : (address.GetNumber() & 7);
        return (mod << 6) | (group << 3) | rm;
    }
}
