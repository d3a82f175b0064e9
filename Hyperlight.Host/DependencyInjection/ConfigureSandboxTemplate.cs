using Hyperlight.Host.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>
/// Sets the options of a template: first from code, then from configuration, whatever the order of the registrations. A value that
/// the operator of an application configures is thus never ignored.
/// </summary>
internal sealed class ConfigureSandboxTemplate(SandboxTemplates templates, IOptions<HyperlightOptions> defaults)
    : IConfigureNamedOptions<SandboxTemplateOptions>
{
    public void Configure(SandboxTemplateOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, SandboxTemplateOptions options)
    {
        name ??= Options.DefaultName;
        options.Source = $"Sandbox template '{name}': ";
        options.Inherited = defaults.Value.Configuration;
        foreach (Action<SandboxTemplateOptions>? configure in templates.Code(name))
        {
            configure?.Invoke(options);
        }

        foreach (IConfigurationSection section in templates.Sections(name))
        {
            Apply(section, options);
        }
    }

    private static void Apply(IConfigurationSection section, SandboxTemplateOptions options)
    {
        options.Source = section.Path + ConfigurationPath.KeyDelimiter;
        if (section.Value is { Length: > 0 } value)
        {
            options.Problems.Add($"{section.Path} is '{value}'. Set it to a section.");
            return;
        }

        if (TemplateSettings.Guests.Any(key => section[key] is not null))
        {
            options.RemoveGuest();
        }

        _ = Setting.Apply(section, options, TemplateSettings.All, options.Problems);
    }
}
