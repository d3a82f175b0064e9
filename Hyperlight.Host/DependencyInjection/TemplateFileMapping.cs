namespace Hyperlight.Host.DependencyInjection;

/// <summary>A file that all sandboxes of a template map.</summary>
/// <param name="Source">How messages name the mapping: the path of its configuration section, or the call that added it.</param>
internal sealed record TemplateFileMapping(string Source)
{
    /// <summary>The file.</summary>
    public string? Path { get; init; }

    /// <summary>Guest physical address of the first byte.</summary>
    public ulong? GuestAddress { get; init; }

    /// <summary>The mapping's name; <see langword="null"/> for the file name.</summary>
    public string? Label { get; init; }
}
