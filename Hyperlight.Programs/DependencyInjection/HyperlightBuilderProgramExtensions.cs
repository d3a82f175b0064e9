using Hyperlight;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Host.Pools;
using Hyperlight.Programs;
using Hyperlight.Programs.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Linux programs.</summary>
public static class HyperlightBuilderProgramExtensions
{
    /// <summary>
    /// Adds a program and a pool of micro VMs for it, which is warmed up when the application starts and closed when it stops: its image is
    /// built, and the program runs to its checkpoint. The start fails if this is not possible. The program is a keyed service:
    /// <c>[FromKeyedServices("name")] IProgramRunner</c>. Its runs take place at the same time, up to <see cref="SandboxPoolOptions.MaximumSize"/>.
    /// It uses the drivers, the logging and the metrics of the application.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name, which is the key of the service. Its case matters. No sandbox template has it.</param>
    /// <param name="configure">
    /// Sets the options. If the configuration that was passed to <c>AddHyperlight</c> has a section <c>Programs:name</c>, its values
    /// replace those that are set here, whatever the order of the calls.
    /// </param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">The name is empty, or another program has it.</exception>
    public static IHyperlightBuilder AddProgram(this IHyperlightBuilder builder, string name, Action<ProgramOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        if (builder.Services.Any(service => service.IsKeyedService && service.ServiceType == typeof(IProgramRunner) && name.Equals(service.ServiceKey)))
        {
            throw new ArgumentException($"There is a program '{name}' already.", nameof(name));
        }

        SandboxTemplates.Of(builder.Services).Programs.Add(name);
        builder.Services.AddOptions<ProgramOptions>(name).Configure(configure).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<ProgramOptions>, ConfigureProgram>());
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ProgramOptions>, ProgramOptionsValidator>());
        builder.Services.AddKeyedSingleton(name, (provider, _) => new RegisteredProgram(name, provider));
        builder.Services.AddKeyedSingleton<IProgramRunner>(name, (provider, _) => provider.GetRequiredKeyedService<RegisteredProgram>(name));
        builder.Services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<RegisteredProgram>(name));
        builder.Services.AddSingleton(provider => new RegisteredPool("programs", provider.GetRequiredKeyedService<RegisteredProgram>(name).Sandboxes));
        return builder;
    }
}
