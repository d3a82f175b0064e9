using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Checks a template when the application starts: each message says which option, its value, and what to do.</summary>
internal sealed class SandboxTemplateValidator(SandboxTemplateNames names) : IValidateOptions<SandboxTemplateOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxTemplateOptions options)
    {
        string[] problems = [.. Check(name ?? string.Empty, options).Select(problem => $"Sandbox template '{name}': {problem}")];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> Check(string name, SandboxTemplateOptions options)
    {
        if (names.All.Count(other => other == name) > 1)
        {
            yield return "it is registered twice. Remove one of the registrations, or give it another name.";
        }

        int guests = (options.Guest is null ? 0 : 1) + (options.SnapshotDirectory is null ? 0 : 1) + (options.Binary is null ? 0 : 1);
        if (guests != 1)
        {
            yield return $"{guests} guests are set. Set one of {nameof(options.Guest)}, {nameof(options.SnapshotDirectory)} and {nameof(options.UseGuest)}.";
        }

        if (options.Guest is { } guest && !File.Exists(guest))
        {
            yield return $"{nameof(options.Guest)} is '{guest}', and there is no such file. Set it to the path of a guest.";
        }

        if (options.SnapshotDirectory is { } directory && !Directory.Exists(directory))
        {
            yield return $"{nameof(options.SnapshotDirectory)} is '{directory}', and there is no such directory. Set it to the directory of a saved snapshot.";
        }

        if (options.Pool is null)
        {
            yield return $"{nameof(options.Pool)} is null. Set it to {nameof(SandboxPoolOptions)}.";
        }
        else if (options.Pool.Problem is { } problem)
        {
            yield return problem;
        }
    }
}
