namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>The guest lists its functions, and this is none of them.</summary>
internal sealed class UnknownFunctionException(string function, IEnumerable<string> functions)
    : Exception($"There is no function '{function}'; there are: {string.Join(", ", functions)}.");
