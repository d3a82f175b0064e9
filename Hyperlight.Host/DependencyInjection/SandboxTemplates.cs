using Hyperlight.Host.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>
/// What an application has registered about its templates, in code and as configuration. Configuration is read when it is needed,
/// so that sources that are added after <c>AddHyperlight</c> are included.
/// </summary>
internal sealed class SandboxTemplates
{
    private readonly List<(string Name, Action<SandboxTemplateOptions>? Configure)> _code = [];
    private readonly List<IConfiguration> _configurations = [];

    /// <summary>The names of the Linux programs that are registered in code. They have configuration sections, too.</summary>
    public HashSet<string> Programs { get; } = new(NameComparer);

    /// <summary>Compares names of templates. Configuration keys can be written in any case, such as in the names of environment variables.</summary>
    public static StringComparer NameComparer => StringComparer.OrdinalIgnoreCase;

    /// <summary>The names of the templates, spelled as in code, or else as in the first configuration that has the template.</summary>
    public IReadOnlyList<string> Names =>
    [
        .. _code.Select(static template => template.Name)
            .Concat(_configurations.SelectMany(Children).Select(static section => section.Key))
            .Distinct(NameComparer),
    ];

    /// <summary>The registrations of a collection of services, which are created at the first call.</summary>
    public static SandboxTemplates Of(IServiceCollection services)
    {
        if (services.FirstOrDefault(static d => d.ServiceType == typeof(SandboxTemplates))?.ImplementationInstance is SandboxTemplates known)
        {
            return known;
        }

        var templates = new SandboxTemplates();
        services.AddSingleton(templates);
        return templates;
    }

    /// <summary>Adds a template that is registered in code.</summary>
    public void Add(string name, Action<SandboxTemplateOptions>? configure) => _code.Add((name, configure));

    /// <summary>Adds a configuration that can have templates.</summary>
    public void Add(IConfiguration configuration) => _configurations.Add(configuration);

    /// <summary>What code sets of a template; more than one if it is registered twice.</summary>
    public IReadOnlyList<Action<SandboxTemplateOptions>?> Code(string name) =>
        [.. _code.Where(template => NameComparer.Equals(template.Name, name)).Select(static template => template.Configure)];

    /// <summary>The configuration sections of a template, in the order in which they are applied. A section can be empty.</summary>
    public IReadOnlyList<IConfigurationSection> Sections(string name) => SectionsOf(HyperlightSettings.Sandboxes, name);

    /// <summary>The configuration sections of a Linux program, as <see cref="Sections"/>.</summary>
    public IReadOnlyList<IConfigurationSection> ProgramSections(string name) => SectionsOf(HyperlightSettings.Programs, name);

    /// <summary>The configuration sections of Linux programs that are not registered in code.</summary>
    public IReadOnlyList<IConfigurationSection> UnknownPrograms() =>
        [.. _configurations.SelectMany(static configuration => configuration.GetSection(HyperlightSettings.Programs).GetChildren())
            .Where(section => !Programs.Contains(section.Key))];

    private IReadOnlyList<IConfigurationSection> SectionsOf(string kind, string name) =>
        [.. _configurations.Select(configuration => configuration.GetSection(kind).GetSection(name))];

    private static IEnumerable<IConfigurationSection> Children(IConfiguration configuration) =>
        configuration.GetSection(HyperlightSettings.Sandboxes).GetChildren();
}
