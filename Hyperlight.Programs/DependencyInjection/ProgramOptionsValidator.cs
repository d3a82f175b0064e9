using Hyperlight.Host.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>Finds out when an application starts what is wrong with the options of its programs.</summary>
internal sealed class ProgramOptionsValidator(SandboxTemplates templates) : IValidateOptions<ProgramOptions>
{
    public ValidateOptionsResult Validate(string? name, ProgramOptions options)
    {
        string[] problems = [.. options.Problems, .. CheckName(name ?? ""), .. CheckProgram(name ?? "", options), .. CheckPool(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> CheckName(string name)
    {
        if (templates.Names.Contains(name, SandboxTemplates.NameComparer))
        {
            yield return $"The program '{name}' has the name of a sandbox template, and their pools could not be told apart. Give it another name.";
        }
    }

    private static IEnumerable<string> CheckProgram(string name, ProgramOptions options)
    {
        if (options.Image is not { } image)
        {
            return [$"The program '{name}' has no image: set {nameof(ProgramOptions)}.{nameof(ProgramOptions.Image)}."];
        }

        if (options.Limits is null)
        {
            return [$"{options.Source}{nameof(ProgramOptions.Limits)} is null. Set it to {nameof(ProgramLimits)}."];
        }

        try
        {
            ProgramTemplate template = RegisteredProgram.TemplateOf(image, options);
            ProgramSeed.Check(template);
            WarmUp.Check(template);
            ProgramRequest.Create(template, ProgramInput.Empty);
            return [];
        }
        catch (ArgumentException exception)
        {
            return [$"The program '{name}': {exception.Message}"];
        }
    }

    private static IEnumerable<string> CheckPool(ProgramOptions options)
    {
        string source = options.Source + nameof(options.Pool);
        if (options.Pool is not { } pool)
        {
            yield return $"{source} is null. Set it to {nameof(SandboxPoolOptions)}.";
            yield break;
        }

        if (pool.Problem is { } problem)
        {
            yield return $"{source}:{problem}";
        }

        if (pool.Isolation is not (SandboxIsolation.RestoreAfterUse or SandboxIsolation.NewSandboxEachTime))
        {
            yield return $"{source}:{nameof(pool.Isolation)} is {pool.Isolation}, but each run of a program starts from the same state. "
                + $"Set it to {SandboxIsolation.RestoreAfterUse} or {SandboxIsolation.NewSandboxEachTime}.";
        }

        if (pool.Budget != CallBudget.Unlimited)
        {
            yield return $"{source}:{nameof(pool.Budget)} is set, but programs have {nameof(ProgramOptions.Limits)}. Remove it, and set these.";
        }
    }
}
