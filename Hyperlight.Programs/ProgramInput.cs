namespace Hyperlight.Programs;

/// <summary>What a program gets in one run. Immutable.</summary>
public sealed record ProgramInput
{
    /// <summary>Input without arguments and with an empty standard input.</summary>
    public static ProgramInput Empty { get; } = new();

    /// <summary>The bytes of the standard input. They must not be changed during the run. Default: none.</summary>
    public ReadOnlyMemory<byte> StandardInput { get; init; }

    /// <summary>Arguments that follow those of <see cref="ProgramTemplate.Command"/>. Default: none.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];
}
