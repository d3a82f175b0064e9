using System.Runtime.CompilerServices;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The registers of the x87 by number, not by distance from the top of the stack.</summary>
[InlineArray(Count)]
internal struct X87File
{
    /// <summary>How many there are.</summary>
    public const int Count = 8;

    private Float80 _first;

    /// <summary>Whether each is zero.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public readonly bool IsClear => !((ReadOnlySpan<Float80>)this).ContainsAnyExcept(default(Float80));
}
