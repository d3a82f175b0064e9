using System.Text.Json;
using Hyperlight.Programs;
using Microsoft.Extensions.AI;

namespace Hyperlight.Extensions.AI;

/// <summary>
/// A function for language models that executes code with a program, such as an interpreter, in a micro VM. Each call starts from the same
/// state, and finds nothing of the calls before. Thread-safe; calls of one runner take place one after the other.
/// </summary>
public sealed class CodeExecutionFunction : AIFunction
{
    private readonly IProgramRunner _runner;
    private readonly CodeExecutionOptions _options;

    /// <summary>Creates the function.</summary>
    /// <param name="runner">The program that executes code, for example <c>python3 -</c>. It is not disposed with the function.</param>
    /// <param name="options">How; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">A path of the options is not absolute, or two tools have one name.</exception>
    public CodeExecutionFunction(IProgramRunner runner, CodeExecutionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(runner);
        _runner = runner;
        _options = options ?? new CodeExecutionOptions();
        if (_options.CodePath is { } path)
        {
            CodePaths.CheckAbsolute(path, nameof(CodeExecutionOptions.CodePath));
        }

        CodePaths.CheckAbsolute(_options.FilesDirectory, nameof(CodeExecutionOptions.FilesDirectory));
        if (_options.Tools.DistinctBy(static tool => tool.Name).Count() != _options.Tools.Count)
        {
            throw new ArgumentException("Two tools have the same name.", nameof(options));
        }

        Description = CodeDescription.Of(_options);
        JsonSchema = CodeSchema.OfArguments(_options);
    }

    /// <inheritdoc/>
    public override string Name => _options.Name;

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override JsonElement JsonSchema { get; }

    /// <inheritdoc/>
    public override JsonElement? ReturnJsonSchema => CodeSchema.OfResult;

    /// <summary>Executes code without a model.</summary>
    /// <param name="request">The code.</param>
    /// <param name="cancellationToken">Ends the execution.</param>
    /// <returns>How it ended, and what it wrote. Errors of the code are not exceptions.</returns>
    /// <exception cref="ArgumentException">The path of a file is not relative, or cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="HyperlightException">The program could not be started, or the micro VM failed.</exception>
    /// <remarks><see cref="CodeExecutionOptions.Approve"/> is not asked.</remarks>
    public Task<CodeExecutionResult> ExecuteAsync(CodeExecutionRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ExecuteAsync(request, null, cancellationToken);
    }

    /// <summary>
    /// Executes the code of the arguments. The result is JSON, as <see cref="ReturnJsonSchema"/> describes it; arguments that are wrong are a
    /// result too, so that the model can correct them.
    /// </summary>
    /// <param name="arguments">The arguments of the model.</param>
    /// <param name="cancellationToken">Ends the execution.</param>
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        if (CodeArguments.TryParse(arguments, out CodeExecutionRequest? request) is { } problem)
        {
            return CodeResultJson.Refusal("invalid_arguments", problem);
        }

        if (_options.Approve is { } approve && !await approve(request!, cancellationToken).ConfigureAwait(false))
        {
            return CodeResultJson.Refusal("not_approved", "The execution of this code was not approved. It was not executed.");
        }

        CodeExecutionResult result = await ExecuteAsync(request!, arguments.Services, cancellationToken).ConfigureAwait(false);
        return CodeResultJson.Of(result, _options.MaximumFileBytes);
    }

    private async Task<CodeExecutionResult> ExecuteAsync(
        CodeExecutionRequest request, IServiceProvider? services, CancellationToken cancellationToken)
    {
        ProgramInput input = CodeInput.Create(request, _options, services);
        var output = new CollectedText(_options.MaximumText);
        var error = new CollectedText(_options.MaximumText);
        await using ProgramRun run = _runner.Start(input, cancellationToken);
        await foreach (ProgramOutput part in run.Output.ConfigureAwait(false))
        {
            (part.IsError ? error : output).Add(part.Bytes.Span);
            if (_options.OnOutput is { } observe)
            {
                await observe(part, cancellationToken).ConfigureAwait(false);
            }
        }

        ProgramResult program = await run.Result.ConfigureAwait(false);
        var result = new CodeExecutionResult(program)
        {
            Output = output.Complete(),
            Error = error.Complete(),
            IsTruncated = output.IsTruncated || error.IsTruncated,
            Files = program.Files(_options.FilesDirectory).ToDictionary(file => file.Key[(_options.FilesDirectory.Length + 1)..], static file => file.Value),
        };
        if (_options.OnResult is { } handle)
        {
            await handle(result, cancellationToken).ConfigureAwait(false);
        }

        return result;
    }
}
