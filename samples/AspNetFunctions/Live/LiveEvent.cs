namespace Hyperlight.Samples.AspNetFunctions.Live;

/// <summary>What the page shows as it happens.</summary>
/// <param name="Kind"><c>open</c> at the beginning, then <c>call</c> or <c>log</c>.</param>
/// <param name="Guest">The guest.</param>
/// <param name="Text">The function and the outcome of a call, or the text of a log record.</param>
/// <param name="Level">The level of a log record.</param>
/// <param name="Milliseconds">The duration of a call.</param>
internal sealed record LiveEvent(string Kind, string Guest, string Text, string? Level = null, double? Milliseconds = null);
