using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Checks a template when the application starts: each message says which option, its value, and what to do.</summary>
internal sealed class SandboxTemplateValidator(SandboxTemplates templates, ApplicationFiles files) : IValidateOptions<SandboxTemplateOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxTemplateOptions options)
    {
        string[] problems = [.. options.Problems, .. CheckName(name ?? ""), .. CheckGuest(options), .. CheckFiles(options), .. CheckPool(options)];
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

    private IEnumerable<string> CheckGuest(SandboxTemplateOptions options)
    {
        string[] guests = [.. Guests(options)];
        if (guests.Length == 0 && options.Problems.Count == 0)
        {
            yield return $"{options.Source}{nameof(options.Guest)} is not set. Set it to the path of a guest, set "
                + $"{nameof(options.GuestResource)} or {nameof(options.SnapshotDirectory)}, or call {nameof(options.UseGuest)}.";
        }

        if (guests.Length > 1)
        {
            yield return $"{options.Source}{string.Join(" and ", guests)}: these are {guests.Length} guests. Remove all but one.";
        }

        if (options.Guest is { } guest && !File.Exists(files.Find(guest)))
        {
            yield return $"{options.Source}{nameof(options.Guest)} is '{guest}', and there is no such file. Set it to the path of a guest."
                + files.DescribeRoots(guest);
        }

        if (options.GuestResource is { } resource && CheckResource(options, resource) is { } problem)
        {
            yield return problem;
        }

        if (options.SnapshotDirectory is { } directory && !Directory.Exists(files.Find(directory)))
        {
            yield return $"{options.Source}{nameof(options.SnapshotDirectory)} is '{directory}', and there is no such directory. "
                + $"Set it to the directory of a saved snapshot.{files.DescribeRoots(directory)}";
        }

        if (options.SnapshotDirectory is not null && options.InitDataFile is { } initData)
        {
            yield return $"{options.Source}{nameof(options.InitDataFile)} is '{initData}', but sandboxes of a snapshot have the init data of the "
                + $"snapshot. Remove it, or set {nameof(options.Guest)} instead of {nameof(options.SnapshotDirectory)}.";
        }

        if (options.ReloadOnChange && guests.Length == 1 && options.Guest is null && options.SnapshotDirectory is null)
        {
            yield return $"{options.Source}{nameof(options.ReloadOnChange)} is true, but the guest is not a file. Set it to false, or set "
                + $"{nameof(options.Guest)} or {nameof(options.SnapshotDirectory)}.";
        }
    }

    private string? CheckResource(SandboxTemplateOptions options, string resource)
    {
        string name = options.GuestAssembly ?? files.AssemblyName;
        return ApplicationFiles.FindAssembly(name) is not { } assembly
                ? $"{options.Source}{nameof(options.GuestAssembly)} is '{name}', and there is no such assembly. Set it to the name of an assembly of the application."
            : Sandboxes.GuestResource.FindProblem(assembly, resource) is { } problem
                ? $"{options.Source}{nameof(options.GuestResource)} is '{resource}', and {problem} Or set it to the name of another resource."
            : null;
    }

    private IEnumerable<string> CheckFiles(SandboxTemplateOptions options) => options.FileMappings
        .Select(mapping => (Key: $"{mapping.Source}{nameof(mapping.Path)}", mapping.Path))
        .Append((Key: $"{options.Source}{nameof(options.InitDataFile)}", Path: options.InitDataFile))
        .Where(file => file.Path is not null && !File.Exists(files.Find(file.Path)))
        .Select(file => $"{file.Key} is '{file.Path}', and there is no such file. Set it to the path of a file.{files.DescribeRoots(file.Path!)}");

    private static IEnumerable<string> Guests(SandboxTemplateOptions options)
    {
        if (options.Guest is { } guest)
        {
            yield return $"{nameof(options.Guest)} is '{guest}'";
        }

        if (options.GuestResource is { } resource)
        {
            yield return $"{nameof(options.GuestResource)} is '{resource}'";
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
