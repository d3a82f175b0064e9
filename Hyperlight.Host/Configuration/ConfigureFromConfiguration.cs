using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.Configuration;

/// <summary>Sets the options from a configuration section, without reflection.</summary>
internal sealed class ConfigureFromConfiguration(IConfiguration configuration) : IConfigureOptions<HyperlightOptions>
{
    public void Configure(HyperlightOptions options)
    {
        options.Source = configuration is IConfigurationSection section ? section.Path + ConfigurationPath.KeyDelimiter : "";
        var problems = new List<string>();
        _ = Setting.Apply(configuration, options, HyperlightSettings.All, problems);
        if (problems.Count > 0)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(HyperlightOptions), problems);
        }
    }
}
