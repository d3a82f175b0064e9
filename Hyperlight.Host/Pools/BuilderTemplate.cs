namespace Hyperlight.Host.Pools;

/// <summary>Sandboxes of a builder of the application.</summary>
internal sealed class BuilderTemplate : ISandboxTemplate
{
    private readonly Func<SandboxBuilder> _createBuilder;

    public BuilderTemplate(Func<SandboxBuilder> createBuilder)
    {
        ArgumentNullException.ThrowIfNull(createBuilder);
        _createBuilder = createBuilder;
    }

    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        SandboxBuilder builder = _createBuilder();
        return SnapshotSource.Load(builder, _ => builder, cancellationToken);
    }
}
