namespace Hyperlight.Tests.Exploration;

/// <summary>What a thread does next to something that threads share.</summary>
/// <param name="Variable">What it is done to. A coarse name is safe: it only means more interleavings.</param>
/// <param name="IsWrite">Whether it may change it.</param>
internal readonly record struct Access(string Variable, bool IsWrite)
{
    /// <summary>The beginning of a thread, which depends on nothing.</summary>
    public static readonly Access Start = new("", false);

    /// <summary>Whether the order of the two makes a difference.</summary>
    public bool DependsOn(Access other) => Variable == other.Variable && Variable.Length > 0 && (IsWrite || other.IsWrite);
}
