namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>The operand of an instruction that can be a register or memory.</summary>
internal readonly struct Operand
{
    public const int None = -1;

    private Operand(bool isRegister, int register, int index, int scale, int displacement)
    {
        IsRegister = isRegister;
        Register = register;
        Index = index;
        Scale = scale;
        Displacement = displacement;
    }

    public bool IsRegister { get; }

    /// <summary>The register, or the base of the address, which may be <see cref="None"/>.</summary>
    public int Register { get; }

    public int Index { get; }

    /// <summary>How far the index is shifted.</summary>
    public int Scale { get; }

    public int Displacement { get; }

    public static Operand Of(int register) => new(true, register, None, 0, 0);

    public static Operand At(int register, int displacement = 0) => new(false, register, None, 0, displacement);

    public static Operand At(int register, int index, int scale, int displacement) =>
        new(false, register, index, scale, displacement);

    /// <summary>A field of the processor's state.</summary>
    public static Operand State(int offset) => At(Host.State, offset);
}
