using System.Diagnostics.CodeAnalysis;
using Hyperlight;
using Hyperlight.Abstractions;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Host.Hypervisors;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Chooses and adds hypervisor drivers.</summary>
public static class HyperlightBuilderExtensions
{
    /// <summary>
    /// Allows the drivers of these names and no other; the first usable one is chosen. Overrides names that were set before,
    /// also from configuration.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="names">The names, such as <c>kvm</c>, the preferred one first; at least one. Case does not matter.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">There is no name, or one is empty.</exception>
    public static IHyperlightBuilder UseDriver(this IHyperlightBuilder builder, params string[] names)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string[] copy = DriverNames.Copy(names);
        builder.Services.PostConfigure<HyperlightOptions>(options => options.UseDrivers(copy));
        return builder;
    }

    /// <summary>
    /// Adds a driver of the application. It is preferred to the built-in ones, whether they are registered before or
    /// after it; several are preferred in the order in which they are added. Adding a type again does nothing.
    /// </summary>
    /// <typeparam name="TDriver">The driver. The container creates and disposes it.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static IHyperlightBuilder AddDriver<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TDriver>(this IHyperlightBuilder builder)
        where TDriver : class, IHypervisor
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IHypervisor, TDriver>());
        return builder;
    }

    /// <summary>
    /// Adds a driver object of the application, as <see cref="AddDriver{TDriver}(IHyperlightBuilder)"/> does.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="driver">The driver. The container does not dispose it.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static IHyperlightBuilder AddDriver(this IHyperlightBuilder builder, IHypervisor driver)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(driver);
        builder.Services.AddSingleton(driver);
        return builder;
    }

    /// <summary>
    /// Removes the built-in drivers, the emulator included: only drivers of the application's own are used. They stay removed
    /// if <c>AddHyperlight</c> is called again.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static IHyperlightBuilder RemoveBuiltInDrivers(this IHyperlightBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        BuiltInDrivers.Unregister(builder.Services);
        return builder;
    }
}
