namespace Hyperlight.Samples.Plugin;

/// <summary>A text with a title.</summary>
public sealed record TextDocument(string Title, IReadOnlyList<string> Lines);
