namespace Hyperlight.Samples.Plugin;

/// <summary>How often the most frequent words occur.</summary>
public sealed record WordCounts(string Title, int Total, IReadOnlyDictionary<string, int> Words);
