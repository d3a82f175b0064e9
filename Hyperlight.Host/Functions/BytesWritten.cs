namespace Hyperlight.Host.Functions;

/// <summary>The result of a call that copies the bytes it is answered with into the caller's memory: how many those are.</summary>
/// <param name="Count">Bytes.</param>
internal readonly record struct BytesWritten(int Count);
