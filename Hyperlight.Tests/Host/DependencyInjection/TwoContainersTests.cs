using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>Several containers of one process do not affect each other.</summary>
[TestFixture]
internal sealed class TwoContainersTests
{
    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    [Test]
    public async Task A_name_means_in_each_container_what_is_registered_there()
    {
        await using ServiceProvider first = Build(("Hyperlight:Sandboxes:test:Pool:MaximumSize", "1"), ("Hyperlight:Sandboxes:one:Guest", Guest));
        await using ServiceProvider second = Build(("Hyperlight:Sandboxes:test:Pool:MaximumSize", "2"), ("Hyperlight:Hypervisor", "missing"));

        Assert.That(Options(first).Pool.MaximumSize, Is.EqualTo(1));
        Assert.That(() => Options(second), Throws.TypeOf<OptionsValidationException>(), "a driver that only this container asks for");
        Assert.That(first.GetRequiredService<ISandboxPoolFactory>().Names, Is.EqualTo(new[] { "one", "test" }));
        Assert.That(second.GetRequiredService<ISandboxPoolFactory>().Names, Is.EqualTo(new[] { "test" }));
        Assert.That(
            first.GetRequiredService<ISandboxFactory>().Hypervisor.Hypervisor, Is.Not.SameAs(HypervisorSelector.Default.Hypervisors[^1]));
    }

    [Test]
    public async Task A_container_that_is_disposed_ends_no_call_of_another()
    {
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        await using ServiceProvider first = Build(Wait);
        ServiceProvider second = Build(Wait);
        ISandboxPool pool = first.GetRequiredKeyedService<ISandboxPool>("test");
        await using SandboxLease lease = await pool.RentAsync();
        await (await second.GetRequiredKeyedService<ISandboxPool>("test").RentAsync()).DisposeAsync();
        Task<int> call = Task.Run(() => lease.Call<int>("RoundTripInt", 5));
        Assert.That(entered.Wait(TimeSpan.FromMinutes(1)), Is.True);

        await second.DisposeAsync();
        release.Set();

        Assert.That(await call, Is.EqualTo(5));
        Assert.That(pool.Statistics.Rented, Is.EqualTo(1));

        int Wait(int value)
        {
            entered.Set();
            release.Wait(TimeSpan.FromSeconds(30));
            return value;
        }
    }

    [Test]
    public async Task Two_containers_of_one_collection_have_pools_of_their_own()
    {
        IServiceCollection collection = new ServiceCollection().AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o => o.Guest = Guest).Services;
        await using ServiceProvider first = collection.BuildServiceProvider();
        await using ServiceProvider second = collection.BuildServiceProvider();

        Assert.That(
            first.GetRequiredKeyedService<ISandboxPool>("test"), Is.Not.SameAs(second.GetRequiredKeyedService<ISandboxPool>("test")));
        Assert.That(Options(first), Is.Not.SameAs(Options(second)));
        first.GetRequiredService<IStartupValidator>().Validate();
        second.GetRequiredService<IStartupValidator>().Validate();
    }

    private static SandboxTemplateOptions Options(IServiceProvider services) =>
        services.GetRequiredService<IOptionsMonitor<SandboxTemplateOptions>>().Get("test");

    private static ServiceProvider Build(Func<int, int> echo) => new ServiceCollection()
        .AddHyperlight(o => o.UseEmulator())
        .AddSandbox("test", o =>
        {
            o.Guest = Guest;
            o.ConfigureSandbox(builder => builder.WithHostFunction("HostEchoInt", echo));
        })
        .Services.BuildServiceProvider();

    private static ServiceProvider Build(params (string Key, string Value)[] configuration) => new ServiceCollection()
        .AddHyperlight(new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value))
                .Append(KeyValuePair.Create("Hyperlight:Sandboxes:test:Guest", (string?)Guest)))
            .Build()
            .GetSection("Hyperlight"))
        .Services.BuildServiceProvider();
}
