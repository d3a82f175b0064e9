using Hyperlight.Programs;

namespace Hyperlight.Extensions.AI;

/// <summary>Programs as functions for language models.</summary>
public static class ProgramRunnerAIExtensions
{
    /// <summary>Makes a function that executes code with a program.</summary>
    /// <param name="runner">The program, for example <c>python3 -</c>.</param>
    /// <param name="options">How; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">A path of the options is not absolute, or two tools have one name.</exception>
    public static CodeExecutionFunction AsCodeExecutionFunction(this IProgramRunner runner, CodeExecutionOptions? options = null) =>
        new(runner, options);
}
