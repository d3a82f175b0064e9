using Hyperlight;
using Hyperlight.Host.DependencyInjection;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds templates of sandboxes.</summary>
public static class HyperlightBuilderSandboxExtensions
{
    /// <summary>
    /// Adds a template of sandboxes and a pool of them, which is warmed up when the application starts and closed when it stops. The
    /// pool is a keyed service, <c>[FromKeyedServices("name")] ISandboxPool</c>, and <see cref="ISandboxPoolFactory"/> has it by name.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name; case does not matter. A name that is registered twice is an error when the application starts.</param>
    /// <param name="configure">
    /// Sets the options. If the configuration that was passed to <c>AddHyperlight</c> has a section <c>Sandboxes:name</c>, its
    /// values replace those that are set here, whatever the order of the calls. A guest in it replaces the guest that is set here.
    /// </param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static IHyperlightBuilder AddSandbox(this IHyperlightBuilder builder, string name, Action<SandboxTemplateOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        SandboxTemplates.Of(builder.Services).Add(name, configure);
        return builder;
    }
}
