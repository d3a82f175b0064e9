using Hyperlight.Host.Configuration;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Programs.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>Sets the options of a program from configuration, after code has set them, as those of sandboxes.</summary>
internal sealed class ConfigureProgram(SandboxTemplates templates) : IPostConfigureOptions<ProgramOptions>
{
    public void PostConfigure(string? name, ProgramOptions options)
    {
        name ??= Options.DefaultName;
        options.Source = $"The program '{name}': ";
        foreach (IConfigurationSection section in templates.ProgramSections(name).Where(static section => section.Exists()))
        {
            options.Source = section.Path + ConfigurationPath.KeyDelimiter;
            if (section.Value is { Length: > 0 } value)
            {
                options.Problems.Add($"{section.Path} is '{value}'. Set it to a section.");
                continue;
            }

            _ = Setting.Apply(section, options, ProgramSettings.All, options.Problems);
        }
    }
}
