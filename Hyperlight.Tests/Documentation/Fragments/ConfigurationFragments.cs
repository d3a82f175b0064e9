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

    [Test]
    public void A_template_with_host_functions()
    {
        var builder = new Application(("Hypervisor", "emulator"), ("Sandboxes:hello:Guest", HelloGuest));

        builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"))
            .AddSandbox("hello", o => o.ConfigureSandbox(sandbox =>
                sandbox.WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())));

        using ServiceProvider services = builder.Services.BuildServiceProvider();
        using SandboxLease lease = services.GetRequiredKeyedService<ISandboxPool>("hello").RentAsync().AsTask().GetAwaiter().GetResult();
        Assert.That(lease.Call<string>("SayHello", "Ada"), Does.StartWith("Hello, Ada!"));
    }

    /// <summary>What <c>WebApplicationBuilder</c> has, without ASP.NET.</summary>
    private sealed class Application(params (string Key, string Value)[] configuration)
    {
        public ServiceCollection Services { get; } = [];

        public IConfiguration Configuration { get; } = new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Append(("Configuration:HeapSize", "1 MiB"))
                .Select(pair => KeyValuePair.Create($"Hyperlight:{pair.Item1}", (string?)pair.Item2)))
            .Build();
    }
}
