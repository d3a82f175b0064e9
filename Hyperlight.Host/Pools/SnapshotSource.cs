namespace Hyperlight.Host.Pools;

/// <summary>Sandboxes that start from one snapshot, and are restored to it.</summary>
internal sealed class SnapshotSource : ISandboxSource
{
    private readonly Snapshot _snapshot;
    private readonly SandboxBuilder _builder;
    private readonly Func<LeaseServices, SandboxBuilder> _createBuilder;

    private SnapshotSource(Snapshot snapshot, SandboxBuilder builder, Func<LeaseServices, SandboxBuilder> createBuilder)
    {
        _snapshot = snapshot;
        _builder = builder;
        _createBuilder = createBuilder;
    }

    /// <summary>Takes the snapshot after the guest's initialisation, or uses the one that the builder has.</summary>
    /// <param name="builder">A builder with the guest.</param>
    /// <param name="createBuilder">Returns a builder for each sandbox: this one, or another with the same files and host functions.</param>
    /// <param name="cancellationToken">Ends the initialisation.</param>
    public static SnapshotSource Load(
        SandboxBuilder builder, Func<LeaseServices, SandboxBuilder> createBuilder, CancellationToken cancellationToken)
    {
        using MultiUseSandbox sandbox = builder.Build(cancellationToken);
        return new SnapshotSource(sandbox.TakeSnapshot(), builder, createBuilder);
    }

    // Concurrently: a builder does not change when it builds.
    public ISandbox Create(LeaseServices services, CancellationToken cancellationToken) =>
        _createBuilder(services).Build(_snapshot, cancellationToken);

    public void Restore(ISandbox sandbox)
    {
        var used = (MultiUseSandbox)sandbox;
        used.Restore(_snapshot);
        used.ForgetLastCall();

        // A restore unmaps them.
        _builder.MapFiles(used);
    }

    public void Dispose() => _snapshot.Dispose();
}
