using Hyperlight.Abstractions;
using Hyperlight.Host.Hypervisors;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>
/// Tells the built-in drivers of a container from those that the application registers. Its own registration shows that
/// <c>AddHyperlight</c> was called before.
/// </summary>
internal sealed class BuiltInDrivers
{
    private readonly HashSet<IHypervisor> _created = new(ReferenceEqualityComparer.Instance);

    /// <summary>Registers the drivers of this operating system, once; the container that creates them disposes them.</summary>
    public static void Register(IServiceCollection services)
    {
        if (services.Any(descriptor => descriptor.ServiceType == typeof(BuiltInDrivers)))
        {
            return;
        }

        services.AddSingleton<BuiltInDrivers>();
        foreach (Func<IHypervisor> create in Drivers.Factories)
        {
            services.Add(new Registration(create));
        }
    }

    /// <summary>Removes the registrations of the built-in drivers.</summary>
    public static void Unregister(IServiceCollection services)
    {
        foreach (Registration registration in services.OfType<Registration>().ToArray())
        {
            services.Remove(registration);
        }
    }

    /// <summary>All drivers of a container in order of preference: the application's own, in order of registration, then the built-in ones.</summary>
    public static IEnumerable<IHypervisor> InOrder(IServiceProvider provider)
    {
        IHypervisor[] drivers = [.. provider.GetServices<IHypervisor>()];
        BuiltInDrivers builtIn = provider.GetRequiredService<BuiltInDrivers>();
        return drivers.OrderBy(builtIn.Contains);
    }

    private bool Contains(IHypervisor driver)
    {
        lock (_created)
        {
            return _created.Contains(driver);
        }
    }

    private IHypervisor Create(Func<IHypervisor> create)
    {
        IHypervisor driver = create();
        lock (_created)
        {
            _ = _created.Add(driver);
        }

        return driver;
    }

    private sealed class Registration(Func<IHypervisor> create) : ServiceDescriptor(
        typeof(IHypervisor),
        provider => provider.GetRequiredService<BuiltInDrivers>().Create(create),
        ServiceLifetime.Singleton);
}
