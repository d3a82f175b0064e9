using System.Reflection;
using Hyperlight.Host.Elf;

namespace Hyperlight.Host.Sandboxes;

/// <summary>Reads guests that are embedded resources.</summary>
internal static class GuestResource
{
    private const int MostNames = 20;

    /// <summary>How messages name a resource.</summary>
    public static string Describe(Assembly assembly, string name) => $"{name} of {assembly.GetName().Name}";

    /// <exception cref="GuestBinaryException">There is no such resource, or it is too large.</exception>
    public static byte[] Read(Assembly assembly, string name)
    {
        using Stream stream = assembly.GetManifestResourceStream(name)
            ?? throw new GuestBinaryException(Describe(assembly, name), FindProblem(assembly, name)!);
        GuestFile.CheckSize(stream.Length, name);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Why there is no such resource, and which there are; <see langword="null"/> if there is one.</summary>
    public static string? FindProblem(Assembly assembly, string name)
    {
        if (assembly.GetManifestResourceInfo(name) is not null)
        {
            return null;
        }

        string[] names = assembly.GetManifestResourceNames();
        string known = names.Length == 0 ? "has no embedded resource"
            : $"has: {string.Join(", ", names.Take(MostNames))}{(names.Length > MostNames ? ", ..." : "")}";
        return $"the assembly '{assembly.GetName().Name}' has no such resource; it {known}. Add <EmbeddedResource Include=\"guest.elf\" LogicalName=\"guest.elf\" /> to its project.";
    }
}
