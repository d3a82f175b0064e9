using System.Diagnostics.Metrics;
using Hyperlight;
using Hyperlight.Abstractions;
using Hyperlight.Host.Configuration;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Host.Diagnostics.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Hyperlight to an application's services.</summary>
public static class HyperlightServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="ISandboxFactory"/>, the hypervisor drivers of this operating system in order of preference,
    /// and the <see cref="HypervisorSelector"/> that chooses among all registered drivers. Every <see cref="IHypervisor"/>
    /// that the application registers itself is preferred to the built-in ones. Calling this again adds nothing but the options.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; <see langword="null"/> for the defaults.</param>
    /// <returns>A builder, with which drivers are chosen and added.</returns>
    public static IHyperlightBuilder AddHyperlight(this IServiceCollection services, Action<HyperlightOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        BuiltInDrivers.Register(services);
        services.AddOptions<HyperlightOptions>().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HyperlightOptions>, HyperlightOptionsValidator>());
        services.TryAddSingleton(static provider => new HypervisorSelector(BuiltInDrivers.InOrder(provider)));
        services.TryAddSingleton<ISandboxFactory>(static provider => new SandboxFactory(
            provider.GetRequiredService<HypervisorSelector>(),
            provider.GetRequiredService<IOptions<HyperlightOptions>>(),
            provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
            HyperlightMetrics.Of(provider.GetService<IMeterFactory>())));
        AddTemplates(services);
        return new HyperlightBuilder(services);
    }

    /// <summary>
    /// Registers the same as <see cref="AddHyperlight(IServiceCollection, Action{HyperlightOptions})"/>, with options and templates
    /// of sandboxes from configuration: each section below <c>Sandboxes</c> is a template with the name of the section, and has the
    /// properties of <see cref="SandboxTemplateOptions"/>. Code adds what configuration cannot say, such as host functions, with
    /// <see cref="HyperlightBuilderSandboxExtensions.AddSandbox"/>. Where both set the same, configuration is used. If a key is unknown or a value is invalid, the application does not start: <see
    /// cref="OptionsValidationException"/> has key, value and remedy. Sizes are numbers of bytes, or
    /// have a unit: <c>256 KiB</c>. Works after ahead-of-time compilation.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section, such as <c>builder.Configuration.GetSection("Hyperlight")</c>.</param>
    /// <returns>A builder, with which drivers are chosen and added.</returns>
    public static IHyperlightBuilder AddHyperlight(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddSingleton<IConfigureOptions<HyperlightOptions>>(new ConfigureFromConfiguration(configuration));
        SandboxTemplates.Of(services).Add(configuration);
        return services.AddHyperlight();
    }

    private static void AddTemplates(IServiceCollection services)
    {
        _ = SandboxTemplates.Of(services);
        services.AddOptions<HyperlightStartup>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HyperlightStartup>, HyperlightStartup.Validator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<SandboxTemplateOptions>, ConfigureSandboxTemplate>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SandboxTemplateOptions>, SandboxTemplateValidator>());
        services.TryAddSingleton(static provider => new ApplicationFiles(provider.GetService<IHostEnvironment>()));
        services.TryAddSingleton(static provider => new SandboxPools(provider.GetRequiredService<SandboxTemplates>(), provider));
        services.TryAddSingleton<ISandboxPoolFactory>(static provider => provider.GetRequiredService<SandboxPools>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SandboxPools>(
            static provider => provider.GetRequiredService<SandboxPools>()));

        // For any key: the case of a name does not matter, and configuration can name templates that code does not.
        services.TryAddKeyedSingleton<ISandboxPool>(KeyedService.AnyKey, static (provider, key) =>
            provider.GetRequiredService<ISandboxPoolFactory>().GetPool(key as string ?? throw new ArgumentException(
                $"The key of an {nameof(ISandboxPool)} is the name of its template, and '{key}' is not a text.", nameof(key))));
    }
}
