using Hyperlight.Host.Pools;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>A template of a container: each sandbox has a builder of its own, whose host functions use the services of its leases.</summary>
internal sealed class ContainerTemplate(SandboxTemplateOptions options, ISandboxFactory factory, IServiceScopeFactory scopes) : ISandboxTemplate
{
    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        Snapshot? saved = options.SnapshotDirectory is { } directory ? factory.LoadSnapshot(directory, options.SnapshotReference) : null;
        var initialisation = new LeaseServices();
        try
        {
            GuestBinary? guest = options.Binary ?? (options.Guest is { } path ? GuestBinary.FromFile(path, cancellationToken) : null);
            SandboxBuilder first = CreateBuilder(initialisation, guest, saved);
            return SnapshotSource.Load(first, services => CreateBuilder(services, guest, null), cancellationToken);
        }
        finally
        {
            saved?.Dispose();

            // This is a thread of the pool's own.
            initialisation.End()?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private SandboxBuilder CreateBuilder(LeaseServices services, GuestBinary? guest, Snapshot? snapshot)
    {
        services.Scopes = scopes;
        SandboxBuilder builder = factory.CreateBuilder();
        if (guest is not null)
        {
            builder.WithGuest(guest);
        }

        if (snapshot is not null)
        {
            builder.WithSnapshot(snapshot);
        }

        if (options.Configuration is { } configuration)
        {
            builder.WithConfiguration(configuration);
        }

        if (options.GuestThreads is { } threads)
        {
            builder.WithGuestThreads(threads);
        }

        options.Builders.ForEach(configure => configure(builder, services));
        return builder;
    }
}
