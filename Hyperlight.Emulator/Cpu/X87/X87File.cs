using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The registers of the x87 by number, not by distance from the top of the stack. Without a value they take no memory: few guests use them.</summary>
internal struct X87File
{
    /// <summary>How many there are.</summary>
    public const int Count = 8;

    /// <summary>Nothing as long as all are zero.</summary>
    private Float80[]? _registers;

    /// <summary>Whether each is zero.</summary>
    public readonly bool IsClear => !_registers.AsSpan().ContainsAnyExcept(default(Float80));

    public Float80 this[int index]
    {
        readonly get => _registers is { } registers ? registers[index] : default;
        set
        {
            if (_registers is not null || value != default)
            {
                (_registers ??= new Float80[Count])[index] = value;
            }
        }
    }

    /// <summary>Makes each zero.</summary>
    public void Clear() => _registers.AsSpan().Clear();
}
