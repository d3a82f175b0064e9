using Hyperlight;
using Hyperlight.Abstractions;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Host.Hypervisors;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Hyperlight to an application's services.</summary>
public static class HyperlightServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="ISandboxFactory"/>, the hypervisor drivers of this operating system in order of preference,
    /// and the <see cref="HypervisorSelector"/> that chooses among all registered drivers. An
    /// <see cref="IHypervisor"/> that is registered before this call takes the place of the built-in drivers.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; <see langword="null"/> for the defaults.</param>
    /// <returns><paramref name="services"/>, for further calls.</returns>
    public static IServiceCollection AddHyperlight(this IServiceCollection services, Action<HyperlightOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (!services.Any(descriptor => descriptor.ServiceType == typeof(IHypervisor)))
        {
            Drivers.Register(services);
        }

        services.AddOptions<HyperlightOptions>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(static provider => new HypervisorSelector(provider.GetServices<IHypervisor>()));
        services.TryAddSingleton<ISandboxFactory>(static provider => new SandboxFactory(
            provider.GetRequiredService<HypervisorSelector>(),
            provider.GetRequiredService<IOptions<HyperlightOptions>>(),
            provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance));
        return services;
    }
}
