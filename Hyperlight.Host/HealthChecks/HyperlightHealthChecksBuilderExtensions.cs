using Hyperlight;
using Hyperlight.Host.HealthChecks;
using Hyperlight.Host.Pools;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health of Hyperlight to the health checks of an application.</summary>
public static class HyperlightHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check whether the hypervisor can be used, of the state of each pool, and of a call if <see
    /// cref="HyperlightHealthCheckOptions.Probe"/> sets one. <c>AddHyperlight</c> has to be called on the services too.
    /// </summary>
    /// <remarks>
    /// The application is unhealthy if the driver cannot be used, if a pool is closed or has no sandbox and cannot create one, and if
    /// the call fails. A pool that has failed to create its only sandbox tries again in each check. The application is degraded if a
    /// pool has sandboxes but cannot create a further one, and if callers are refused because the queue of a pool is full. The data of
    /// the result has the driver, the reason, and the numbers of <see cref="SandboxPoolStatistics"/> for each pool, all as texts and numbers.
    /// </remarks>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets the options; <see langword="null"/> for the defaults.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What is reported instead of <see cref="HealthStatus.Unhealthy"/>; <see langword="null"/> for that.</param>
    /// <param name="tags">Tags, by which checks are selected.</param>
    /// <param name="timeout">The time limit of the check, its call included; <see langword="null"/> for no limit.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static IHealthChecksBuilder AddHyperlight(
        this IHealthChecksBuilder builder,
        Action<HyperlightHealthCheckOptions>? configure = null,
        string name = "hyperlight",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var options = new HyperlightHealthCheckOptions();
        configure?.Invoke(options);
        return builder.Add(new HealthCheckRegistration(
            name,
            provider => new HyperlightHealthCheck(
                options,
                provider.GetRequiredService<ISandboxFactory>(),
                provider.GetRequiredService<ISandboxPoolFactory>(),
                provider.GetServices<RegisteredPool>(),
                provider.GetService<TimeProvider>() ?? TimeProvider.System),
            failureStatus,
            tags,
            timeout));
    }
}
