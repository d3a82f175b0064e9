using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Checks a template when the application starts: each message says which option, its value, and what to do.</summary>
internal sealed class SandboxTemplateValidator(SandboxTemplates templates) : IValidateOptions<SandboxTemplateOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxTemplateOptions options)
    {
        string[] problems = [.. options.Problems, .. CheckName(name ?? ""), .. CheckGuest(options), .. CheckPool(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> CheckName(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            yield return "A sandbox template has no name. Give it one.";
        }

        if (templates.Code(name).Count > 1)
        {
            yield return $"Sandbox template '{name}': it is registered twice. Remove one of the registrations, or give it another name.";
        }
    }

    private static IEnumerable<string> CheckGuest(SandboxTemplateOptions options)
    {
        string[] guests = [.. Guests(options)];
        if (guests.Length == 0 && options.Problems.Count == 0)
        {
            yield return $"{options.Source}{nameof(options.Guest)} is not set. Set it to the path of a guest, set "
                + $"{nameof(options.SnapshotDirectory)}, or call {nameof(options.UseGuest)}.";
        }

        if (guests.Length > 1)
        {
            yield return $"{options.Source}{string.Join(" and ", guests)}: these are {guests.Length} guests. Remove all but one.";
        }

        if (options.Guest is { } guest && !File.Exists(guest))
        {
            yield return $"{options.Source}{nameof(options.Guest)} is '{guest}', and there is no such file. Set it to the path of a guest.";
        }

        if (options.SnapshotDirectory is { } directory && !Directory.Exists(directory))
        {
            yield return $"{options.Source}{nameof(options.SnapshotDirectory)} is '{directory}', and there is no such directory. "
                + "Set it to the directory of a saved snapshot.";
        }
    }

    private static IEnumerable<string> Guests(SandboxTemplateOptions options)
    {
        if (options.Guest is { } guest)
        {
            yield return $"{nameof(options.Guest)} is '{guest}'";
        }

        if (options.SnapshotDirectory is { } directory)
        {
            yield return $"{nameof(options.SnapshotDirectory)} is '{directory}'";
        }

        if (options.Binary is { } binary)
        {
            yield return $"{nameof(options.UseGuest)} was called with '{binary.Source}'";
        }
    }

    private static IEnumerable<string> CheckPool(SandboxTemplateOptions options)
    {
        string source = options.Source + nameof(options.Pool);
        if (options.Pool is null)
        {
            yield return $"{source} is null. Set it to {nameof(SandboxPoolOptions)}.";
        }
        else if (options.Pool.Problem is { } problem)
        {
            yield return $"{source}:{problem}";
        }
    }
}
