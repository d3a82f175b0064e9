using Hyperlight;
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
    /// Adds a program. Its image is built and its micro VM is created when the application starts, which fails if this is not possible.
    /// The program is a keyed service: <c>[FromKeyedServices("name")] IProgramRunner</c>. It uses the drivers, the logging and the metrics
    /// of the application.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">The name, which is the key of the service.</param>
    /// <param name="configure">Sets the options.</param>
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

        builder.Services.AddOptions<ProgramOptions>(name).Configure(configure).ValidateOnStart();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ProgramOptions>, ProgramOptionsValidator>());
        builder.Services.AddKeyedSingleton(name, (provider, _) => new RegisteredProgram(
            name, provider.GetRequiredService<IOptionsMonitor<ProgramOptions>>(), provider.GetRequiredService<ISandboxFactory>()));
        builder.Services.AddKeyedSingleton<IProgramRunner>(name, (provider, _) => provider.GetRequiredKeyedService<RegisteredProgram>(name));
        builder.Services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<RegisteredProgram>(name));
        return builder;
    }
}
