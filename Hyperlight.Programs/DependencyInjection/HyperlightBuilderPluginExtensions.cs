using Hyperlight.Plugins;
using Hyperlight.Programs;
using Hyperlight.Programs.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds C# plugins.</summary>
public static class HyperlightBuilderPluginExtensions
{
    /// <summary>
    /// Adds a plugin. Its program is registered as by <see cref="HyperlightBuilderProgramExtensions.AddProgram"/>, with a pool: sessions take
    /// place at the same time, up to <see cref="Hyperlight.SandboxPoolOptions.MaximumSize"/>. The plugin is a keyed service:
    /// <c>[FromKeyedServices("name")] PluginRunner&lt;TContract&gt;</c>.
    /// </summary>
    /// <typeparam name="TContract">The plugin's interface.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name, which is the key of the service. No program has it.</param>
    /// <param name="contract">The generated code of the interface.</param>
    /// <param name="configureProgram">Sets the options of the plugin's program.</param>
    /// <param name="configure">Sets how it is called; <see langword="null"/> for the defaults.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">The name is empty, or another program has it.</exception>
    public static IHyperlightBuilder AddPlugin<TContract>(
        this IHyperlightBuilder builder,
        string name,
        PluginContract<TContract> contract,
        Action<ProgramOptions> configureProgram,
        Action<PluginOptions>? configure = null)
        where TContract : class
    {
        ArgumentNullException.ThrowIfNull(contract);
        builder.AddProgram(name, configureProgram);
        OptionsBuilder<PluginOptions> options = builder.Services.AddOptions<PluginOptions>(name).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PluginOptions>, PluginOptionsValidator>());
        builder.Services.AddKeyedSingleton(name, (provider, _) => new PluginRunner<TContract>(
            contract, TemplateOf(provider, name), provider.GetRequiredKeyedService<IProgramRunner>(name), owned: null));
        return builder;
    }

    private static PluginTemplate TemplateOf(IServiceProvider provider, string name)
    {
        ProgramOptions program = provider.GetRequiredService<IOptionsMonitor<ProgramOptions>>().Get(name);
        PluginOptions plugin = provider.GetRequiredService<IOptionsMonitor<PluginOptions>>().Get(name);

        // The validator has refused options without an image.
        return new PluginTemplate
        {
            Program = RegisteredProgram.TemplateOf(program.Image!, program),
            CallTime = plugin.CallTime,
            AnswerBytes = plugin.AnswerBytes,
        };
    }
}
