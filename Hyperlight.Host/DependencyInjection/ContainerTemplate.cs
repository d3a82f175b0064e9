using System.Reflection;
using Hyperlight.Host.Pools;
using Hyperlight.Host.Snapshots.Files;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>A template of a container: each sandbox has a builder of its own, whose host functions use the services of its leases.</summary>
internal sealed class ContainerTemplate(
    SandboxTemplateOptions options, ISandboxFactory factory, IServiceScopeFactory scopes, ApplicationFiles files) : ISandboxTemplate
{
    private readonly Lock _lock = new();
    private FileStamp? _loaded;
    private bool _isLoaded;

    /// <summary>The stamp of the file that the template is loaded from; <see langword="null"/> if there is none now.</summary>
    public FileStamp? Stamp =>
        options.Guest is { } guest ? FileStamp.Of(files.Find(guest))
        : options.SnapshotDirectory is { } directory ? FileStamp.Of(Path.Combine(files.Find(directory), OciNames.IndexFile))
        : null;

    /// <summary>Whether the file was loaded before, and is another one now. A file that could not be loaded counts as loaded.</summary>
    public bool HasChanged(FileStamp? stamp)
    {
        lock (_lock)
        {
            return _isLoaded && _loaded != stamp;
        }
    }

    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        // Before it is read: if it changes while it is read, it is read again.
        FileStamp? stamp = Stamp;
        lock (_lock)
        {
            _loaded = stamp;
            _isLoaded = true;
        }

        Snapshot? saved = options.SnapshotDirectory is { } directory ? factory.LoadSnapshot(files.Find(directory), options.SnapshotReference) : null;
        var initialisation = new LeaseServices();
        try
        {
            GuestBinary? guest = ReadGuest(cancellationToken);
            SandboxBuilder first = CreateBuilder(initialisation, guest, saved);
            if (options.InitDataFile is { } initData)
            {
                first.WithInitData(File.ReadAllBytes(files.Find(initData)));
            }

            return SnapshotSource.Load(first, services => CreateBuilder(services, guest, null), cancellationToken);
        }
        finally
        {
            saved?.Dispose();

            // This is a thread of the pool's own.
            initialisation.End()?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private GuestBinary? ReadGuest(CancellationToken cancellationToken)
    {
        if (options.GuestResource is { } resource)
        {
            string name = options.GuestAssembly ?? files.AssemblyName;
            Assembly assembly = ApplicationFiles.FindAssembly(name)
                ?? throw new GuestBinaryException(resource, $"there is no assembly '{name}' in the application.");
            return GuestBinary.FromResource(assembly, resource, cancellationToken);
        }

        return options.Guest is { } path ? GuestBinary.FromFile(files.Find(path), cancellationToken) : options.Binary;
    }

    private SandboxBuilder CreateBuilder(LeaseServices services, GuestBinary? guest, Snapshot? snapshot)
    {
        services.Scopes = scopes;
        SandboxBuilder builder = factory.CreateBuilder().WithBudget(options.Pool.Budget);
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

        foreach (TemplateFileMapping mapping in options.FileMappings)
        {
            builder.WithFileMapping(files.Find(mapping.Path!), mapping.GuestAddress!.Value, mapping.Label);
        }

        if (options.GuestThreads is { } threads)
        {
            builder.WithGuestThreads(threads);
        }

        options.Builders.ForEach(configure => configure(builder, services));
        return builder;
    }
}
