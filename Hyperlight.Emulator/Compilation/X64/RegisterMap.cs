using System.Numerics;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Which of the guest's registers are in registers of the host while a region runs: those that its instructions name most
/// often. The others stay in the processor's state.
/// </summary>
internal sealed class RegisterMap
{
    private const int Count = 16;

    private static ReadOnlySpan<byte> Free =>
        [Host.Rbx, Host.Rbp, Host.Rsi, Host.Rdi, Host.R8, Host.R9, Host.R10, Host.R11];

    private readonly int[] _hosts = new int[Count];

    public RegisterMap(List<RegionNode> nodes)
    {
        Span<int> uses = stackalloc int[Count];
        foreach (RegionNode node in nodes)
        {
            foreach (ref MicroOp op in node.Block.Ops.AsSpan())
            {
                if (op.Op == Op.Vector && VectorTraits.IsEmitted(in op, node.Block.BytesOf(in op)))
                {
                    int registers = VectorTraits.GeneralRegisters(in op);
                    Used |= registers;
                    Written |= VectorTraits.GeneralResult(in op);
                    CountUses(registers, uses);
                    Vectors |= VectorsOf(in op, node.Block.BytesOf(in op));
                    UsesFloats |= VectorTraits.UsesFloats(in op);
                }
                else if (Emittable.IsEmitted(in op))
                {
                    int registers = OpTraits.Registers(in op);
                    Used |= registers;
                    Written |= OpTraits.WrittenRegisters(in op);
                    CountUses(registers, uses);
                }
            }
        }

        Array.Fill(_hosts, Operand.None);
        (_hosts[GeneralRegister.Rcx], _hosts[GeneralRegister.Rdx]) = (Host.Rcx, Host.Rdx);
        foreach (byte host in Free)
        {
            int most = Operand.None;
            for (int guest = 0; guest < Count; guest++)
            {
                if (_hosts[guest] == Operand.None && uses[guest] > (most == Operand.None ? 0 : uses[most]))
                {
                    most = guest;
                }
            }

            if (most == Operand.None)
            {
                return;
            }

            _hosts[most] = host;
        }
    }

    /// <summary>The guest's registers that the region's own code uses, as bits.</summary>
    public int Used { get; }

    /// <summary>Those that it changes.</summary>
    public int Written { get; }

    /// <summary>The XMM registers that it uses.</summary>
    public int Vectors { get; }

    /// <summary>Whether it computes with floating-point numbers.</summary>
    public bool UsesFloats { get; }

    /// <summary>The host's register of a guest's, or <see cref="Operand.None"/>.</summary>
    public int this[int guest] => _hosts[guest];

    private static int VectorsOf(in MicroOp op, ReadOnlySpan<byte> bytes)
    {
        VectorInstruction instruction = VectorInstruction.Parse(bytes)!.Value;
        int used = op.Vector is VectorOp.Pblendvb or VectorOp.Blendvps or VectorOp.Blendvpd ? 1 : 0;
        if (!instruction.HasExtension && !VectorTraits.HasGeneralRegister(in op))
        {
            used |= 1 << instruction.Register;
        }

        if (!instruction.IsMemory && !VectorTraits.HasGeneralOperand(in op))
        {
            used |= 1 << instruction.OperandRegister;
        }

        return used;
    }

    private static void CountUses(int registers, Span<int> uses)
    {
        for (; registers != 0; registers &= registers - 1)
        {
            uses[BitOperations.TrailingZeroCount(registers)]++;
        }
    }
}
