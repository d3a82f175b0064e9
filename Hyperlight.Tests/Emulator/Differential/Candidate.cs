using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>An instruction and what must hold before it, so that it stays inside the data and raises nothing.</summary>
internal sealed class Candidate
{
    private readonly List<Demand> _registers = [];

    /// <summary>Without its address; the encoder decides on the length.</summary>
    public Instruction Instruction;

    /// <summary>Registers that must have a value, those of addresses first of all.</summary>
    public IReadOnlyList<Demand> Registers => _registers;

    /// <summary>The address of the memory operand, or 0.</summary>
    public ulong OperandAddress { get; set; }

    public void Clear()
    {
        _registers.Clear();
        Instruction = default;
        OperandAddress = 0;
    }

    /// <summary>Demands a value. The last demand on a register counts.</summary>
    public void Require(int register, ulong value)
    {
        _registers.RemoveAll(d => d.Register == register);
        _registers.Add(new Demand(register, value));
    }

    /// <summary>Gives registers the values they must have.</summary>
    public void Apply(ref CpuState state)
    {
        foreach (Demand demand in _registers)
        {
            state.General[demand.Register] = demand.Value;
        }
    }

    public bool Requires(int register) => _registers.Exists(d => d.Register == register);

    /// <summary>A value that a register must have.</summary>
    internal readonly record struct Demand(int Register, ulong Value);
}
