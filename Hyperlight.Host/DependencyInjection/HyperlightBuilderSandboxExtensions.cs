using Hyperlight;
using Hyperlight.Host.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds templates of sandboxes.</summary>
public static class HyperlightBuilderSandboxExtensions
{
    /// <summary>
    /// Adds a template of sandboxes and a pool of them, which is warmed up when the application starts and closed when it stops. The
    /// pool is a keyed service, <c>[FromKeyedServices("name")] ISandboxPool</c>, and <see cref="ISandboxPoolFactory"/> has it by name.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name, case-sensitive. A name that is registered twice is an error when the application starts.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static IHyperlightBuilder AddSandbox(this IHyperlightBuilder builder, string name, Action<SandboxTemplateOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        IServiceCollection services = builder.Services;
        NamesOf(services).All.Add(name);
        services.AddOptions<SandboxTemplateOptions>(name).Configure(configure).ValidateOnStart();
        services.TryAddKeyedSingleton<ISandboxPool>(
            name, static (provider, key) => provider.GetRequiredService<ISandboxPoolFactory>().GetPool((string)key!));
        return builder;
    }

    private static SandboxTemplateNames NamesOf(IServiceCollection services)
    {
        if (services.FirstOrDefault(static d => d.ServiceType == typeof(SandboxTemplateNames))?.ImplementationInstance is SandboxTemplateNames known)
        {
            return known;
        }

        var names = new SandboxTemplateNames();
        services.AddSingleton(names);
        services.AddSingleton<IValidateOptions<SandboxTemplateOptions>, SandboxTemplateValidator>();
        services.AddSingleton(static provider => new SandboxPools(provider.GetRequiredService<SandboxTemplateNames>(), provider));
        services.AddSingleton<ISandboxPoolFactory>(static provider => provider.GetRequiredService<SandboxPools>());
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<SandboxPools>());
        return names;
    }
}
