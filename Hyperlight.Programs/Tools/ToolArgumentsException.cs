namespace Hyperlight.Programs.Tools;

/// <summary>The arguments of a request do not fit the type of the tool.</summary>
/// <param name="path">Where, as a JSON path.</param>
internal sealed class ToolArgumentsException(string path) : Exception($"The arguments do not fit the tool at '{path}'.");
