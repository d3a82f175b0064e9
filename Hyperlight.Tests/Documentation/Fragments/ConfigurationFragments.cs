using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/configuration.md.</summary>
[TestFixture]
internal sealed class ConfigurationFragments : FragmentFixture
{
    [Test]
    public void Registration_in_a_web_application()
    {
        var builder = new Application();

        builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"));

        using ServiceProvider services = builder.Services.BuildServiceProvider();
        Assert.That(services.GetRequiredService<IOptions<HyperlightOptions>>().Value.Configuration.HeapSize, Is.EqualTo(1 << 20));
    }

    /// <summary>What <c>WebApplicationBuilder</c> has, without ASP.NET.</summary>
    private sealed class Application
    {
        public ServiceCollection Services { get; } = [];

        public IConfiguration Configuration { get; } = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("Hyperlight:Configuration:HeapSize", (string?)"1 MiB")])
            .Build();
    }
}
