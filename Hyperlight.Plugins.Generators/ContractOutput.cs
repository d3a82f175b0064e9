namespace Hyperlight.Plugins.Generators;

/// <summary>What an interface leads to. Compared by value, so that the compiler does not repeat what has not changed.</summary>
internal sealed class ContractOutput(string fileName, string? source, ContractProblem[] problems) : IEquatable<ContractOutput>
{
    public string FileName { get; } = fileName;

    /// <summary><see langword="null"/> if there are problems.</summary>
    public string? Source { get; } = source;

    public ContractProblem[] Problems { get; } = problems;

    public bool Equals(ContractOutput? other) =>
        other is not null && FileName == other.FileName && Source == other.Source && Problems.SequenceEqual(other.Problems);

    public override bool Equals(object? obj) => Equals(obj as ContractOutput);

    public override int GetHashCode() => FileName.GetHashCode();
}
