using System.Reflection;
using Microsoft.Extensions.Hosting;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Finds the files and assemblies that templates name.</summary>
/// <param name="environment">The application's environment; <see langword="null"/> if it has no host.</param>
internal sealed class ApplicationFiles(IHostEnvironment? environment)
{
    /// <summary>Where relative paths begin: in the content root, as other files of the configuration; what is not there is looked for beside the application.</summary>
    private readonly string[] _roots = [Path.GetFullPath(environment?.ContentRootPath ?? Environment.CurrentDirectory), AppContext.BaseDirectory];

    /// <summary>How a message about a path that does not exist says where it was looked for.</summary>
    public string DescribeRoots(string path) =>
        Path.IsPathFullyQualified(path) ? "" : $" Relative paths begin in '{_roots[0]}' or '{_roots[1]}'.";

    /// <summary>The full path of a file or directory, whether or not it exists.</summary>
    public string Find(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            return path;
        }

        string[] candidates = [.. _roots.Select(root => Path.GetFullPath(path, root))];
        return candidates.FirstOrDefault(Path.Exists) ?? candidates[0];
    }

    /// <summary>An assembly of the application.</summary>
    /// <param name="name">Its name; <see langword="null"/> for that of the application itself.</param>
    /// <returns>The assembly, or <see langword="null"/> if there is none.</returns>
    public static Assembly? FindAssembly(string name)
    {
        try
        {
            return Assembly.Load(new AssemblyName(name));
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The name of the assembly of the application itself.</summary>
    public string AssemblyName => environment?.ApplicationName is { Length: > 0 } name && FindAssembly(name) is not null
        ? name
        : Assembly.GetEntryAssembly()?.GetName().Name ?? "";
}
