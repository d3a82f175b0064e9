namespace Hyperlight.Host.DependencyInjection;

/// <summary>The names of the templates that an application has registered.</summary>
internal sealed class SandboxTemplateNames
{
    public List<string> All { get; } = [];
}
