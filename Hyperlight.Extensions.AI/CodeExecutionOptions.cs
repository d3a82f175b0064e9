using Hyperlight.Programs;
using Microsoft.Extensions.AI;

namespace Hyperlight.Extensions.AI;

/// <summary>What a <see cref="CodeExecutionFunction"/> tells the model, and how it hands code to the program. Immutable.</summary>
public sealed record CodeExecutionOptions
{
    /// <summary>The name by which the model calls the function. Default: <c>execute_code</c>.</summary>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string Name
    {
        get;
        init
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value, nameof(Name));
            field = value;
        }
    } = "execute_code";

    /// <summary>
    /// What the model reads about the function, for example which language it is and which libraries there are. A description of files and
    /// tools is added. Default: that it executes code in an isolated machine without a network.
    /// </summary>
    public string Description { get; init; } =
        "Executes code in an isolated machine without a network, and returns what it prints. Each call starts from the same state.";

    /// <summary>
    /// The absolute path of the file in which the program finds the code, for example the second element of the command
    /// <c>["/usr/bin/python3", "/run/code.py"]</c>. Default, with <see langword="null"/>: the program reads the code from its standard
    /// input, as <c>python3 -</c>, <c>lua -</c>, <c>perl</c> and <c>sh</c> do.
    /// </summary>
    public string? CodePath { get; init; }

    /// <summary>
    /// The absolute path of the directory that has the files of a call. What the code leaves there is in the result. It is created.
    /// Default: <c>/files</c>.
    /// </summary>
    public string FilesDirectory { get; init; } = "/files";

    /// <summary>
    /// The most characters of the standard output in a result for the model, and as many of the standard error. What is more is left out,
    /// and the result says so. Default 32,768.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int MaximumText
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaximumText));
            field = value;
        }
    } = 0x8000;

    /// <summary>
    /// The most bytes of all files whose content is in a result for the model. Of further files it has the size alone. Default 65,536.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int MaximumFileBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaximumFileBytes));
            field = value;
        }
    } = 0x1_0000;

    /// <summary>
    /// Functions of the application that the code can call through <c>/dev/hyperlight/call</c>. They are executed by the application, with
    /// its rights, and with arguments of code that is not trusted. Default: none.
    /// </summary>
    public IReadOnlyList<AIFunction> Tools { get; init; } = [];

    /// <summary>
    /// Is asked before code is executed; with <see langword="false"/>, the model gets the answer that it was not approved. Default, with
    /// <see langword="null"/>: all code is executed. To let the user of a chat decide, wrap the function in an
    /// <c>ApprovalRequiredAIFunction</c> instead.
    /// </summary>
    public Func<CodeExecutionRequest, CancellationToken, ValueTask<bool>>? Approve { get; init; }

    /// <summary>Gets the output while the code is executed. The program waits for it. Default: none.</summary>
    public Func<ProgramOutput, CancellationToken, ValueTask>? OnOutput { get; init; }

    /// <summary>
    /// Gets the result of each execution before the model does, for example to keep files that are too large for it. Default: none.
    /// </summary>
    public Func<CodeExecutionResult, CancellationToken, ValueTask>? OnResult { get; init; }
}
