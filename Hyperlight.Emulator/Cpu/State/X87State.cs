using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The registers of the x87, which MMX instructions use too.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct X87State
{
    public const int Size = 152;

    /// <summary>ST and MMX registers by number, not by distance from the top of the stack.</summary>
    public X87File Registers;

    /// <summary>The address of the last instruction: FIP.</summary>
    public ulong Instruction;

    /// <summary>The address of its operand: FDP.</summary>
    public ulong Operand;

    public ushort Control;
    public ushort Status;

    /// <summary>The operation code of the last instruction: FOP.</summary>
    public ushort Opcode;

    /// <summary>One bit a register, set when it is in use: the abridged tag word.</summary>
    public byte Used;
}
