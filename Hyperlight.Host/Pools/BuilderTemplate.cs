namespace Hyperlight.Host.Pools;

/// <summary>Sandboxes of a builder of the application.</summary>
internal sealed class BuilderTemplate : ISandboxTemplate
{
    private readonly Func<SandboxBuilder> _createBuilder;
    private readonly CallBudget _budget;

    public BuilderTemplate(Func<SandboxBuilder> createBuilder, CallBudget budget)
    {
        ArgumentNullException.ThrowIfNull(createBuilder);
        _createBuilder = createBuilder;
        _budget = budget;
    }

    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        SandboxBuilder builder = _createBuilder().WithBudget(_budget);
        return SnapshotSource.Load(builder, _ => builder, cancellationToken);
    }
}
