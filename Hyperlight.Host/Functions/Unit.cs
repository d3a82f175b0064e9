namespace Hyperlight.Host.Functions;

/// <summary>The result of a function that has none.</summary>
internal readonly struct Unit;
