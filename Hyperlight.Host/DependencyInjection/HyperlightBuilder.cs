using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>The builder that <c>AddHyperlight</c> returns.</summary>
internal sealed class HyperlightBuilder(IServiceCollection services) : IHyperlightBuilder
{
    public IServiceCollection Services => services;
}
