namespace Hyperlight.Abstractions;

/// <summary>A model-specific register and its value.</summary>
/// <param name="Index">The register's number, what RDMSR takes in ECX.</param>
/// <param name="Value">Its value.</param>
public readonly record struct ModelSpecificRegister(uint Index, ulong Value = 0);
