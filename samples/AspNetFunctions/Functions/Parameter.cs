namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>A parameter of a guest function.</summary>
internal sealed record Parameter(string Type, string Name);
