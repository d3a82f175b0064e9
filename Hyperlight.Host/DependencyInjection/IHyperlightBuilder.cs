namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds to what <c>AddHyperlight</c> registered. Use the methods of <see cref="HyperlightBuilderExtensions"/>; the order of
/// the calls does not matter.
/// </summary>
public interface IHyperlightBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }
}
