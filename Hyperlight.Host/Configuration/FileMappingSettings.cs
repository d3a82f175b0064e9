using Hyperlight.Abstractions;
using Hyperlight.Host.DependencyInjection;
using Microsoft.Extensions.Configuration;

namespace Hyperlight.Host.Configuration;

/// <summary>The keys of a file mapping.</summary>
internal static class FileMappingSettings
{
    private const string PathExpected = "the path of a file";
    private const string AddressExpected = "a guest physical address, a multiple of 4 KiB below 64 GiB, such as '0x100000000'";

    public static IReadOnlyList<Setting<TemplateFileMapping>> All { get; } =
    [
        Setting.OfText(
            nameof(TemplateFileMapping.Path), PathExpected,
            static (TemplateFileMapping mapping, string value) => mapping with { Path = value }),
        Setting.Of(
            nameof(TemplateFileMapping.GuestAddress), AddressExpected, SettingText.Address,
            static (TemplateFileMapping mapping, ulong value) =>
            {
                GuestPhysicalSpace.CheckAddress(value);
                return mapping with { GuestAddress = value };
            }),
        Setting.OfText(
            nameof(TemplateFileMapping.Label), "a name of at most 63 bytes of UTF-8",
            static (TemplateFileMapping mapping, string value) => mapping with { Label = MappingLabel.Choose(value, value) }),
    ];

    /// <summary>The mappings of a section: a list, or sections of any name.</summary>
    public static TemplateFileMapping[] Read(IConfigurationSection section, ICollection<string> problems) => section.Value is { Length: > 0 }
        ? throw new FormatException()
        : [.. section.GetChildren().Select(child => ReadOne(child, problems))];

    private static TemplateFileMapping ReadOne(IConfigurationSection section, ICollection<string> problems)
    {
        var mapping = new TemplateFileMapping(section.Path + ConfigurationPath.KeyDelimiter);
        if (section.Value is { } value)
        {
            problems.Add($"{section.Path} is '{value}'. Set it to a section with {nameof(mapping.Path)} and {nameof(mapping.GuestAddress)}.");
            return mapping;
        }

        int before = problems.Count;
        mapping = Setting.Apply(section, mapping, All, problems);
        if (problems.Count == before && mapping.Path is null)
        {
            problems.Add($"{section.Path}:{nameof(mapping.Path)} is not set. Set it to {PathExpected}.");
        }

        if (problems.Count == before && mapping.GuestAddress is null)
        {
            problems.Add($"{section.Path}:{nameof(mapping.GuestAddress)} is not set. Set it to {AddressExpected}.");
        }

        return mapping;
    }
}
