using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>Templates of sandboxes in a container, and their pools.</summary>
[TestFixture]
internal sealed class AddSandboxTests
{
    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    [Test]
    public async Task A_pool_is_a_keyed_service_that_starts_and_stops_with_the_application()
    {
        await using ServiceProvider services = Build(o => o.Guest = Guest);
        IHostedService hosted = services.GetServices<IHostedService>().Single();
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");
        await hosted.StartAsync(default);
        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
        Assert.That(services.GetRequiredService<ISandboxPoolFactory>().GetPool("test"), Is.SameAs(pool));

        await using (SandboxLease lease = await pool.RentAsync())
        {
            Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3));
        }

        await hosted.StopAsync(default);

        Assert.That(pool.Statistics.Size, Is.Zero);
        await Assert.ThatAsync(async () => await pool.RentAsync(), Throws.TypeOf<PoolClosedException>());
    }

    [Test]
    public async Task A_host_function_uses_services_of_its_lease()
    {
        var services = new ServiceCollection();
        services.AddScoped<Adder>();
        services.AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o =>
        {
            o.UseGuest(GuestBinary.FromFile(Guest)).AddHostFunctions<Adder>((functions, adder) =>
                functions.WithHostFunction("HostEchoInt", (int x) => adder().Add(x)));
            o.Pool = new SandboxPoolOptions { MaximumSize = 1 };
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        ISandboxPool pool = provider.GetRequiredKeyedService<ISandboxPool>("test");
        int disposed = Adder.Disposed;

        for (int i = 0; i < 2; i++)
        {
            await using SandboxLease lease = await pool.RentAsync();
            Assert.That(lease.Call<int>("RoundTripInt", 10), Is.EqualTo(11));
            Assert.That(lease.Call<int>("RoundTripInt", 10), Is.EqualTo(12), "the same instance within a lease");
        }

        Assert.That(Adder.Disposed, Is.EqualTo(disposed + 2));
    }

    [Test]
    public void What_is_wrong_with_a_template_ends_the_start()
    {
        AssertProblem(o => o.Guest = "missing.elf", "Sandbox template 'test': Guest is 'missing.elf', and there is no such file.");
        AssertProblem(o => o.SnapshotDirectory = "missing", "SnapshotDirectory is 'missing'");
        AssertProblem(_ => { }, "0 guests are set");
        AssertProblem(
            o =>
            {
                o.Guest = Guest;
                o.Pool = new SandboxPoolOptions { MaximumSize = 1, MinimumSize = 2 };
            },
            "MinimumSize is 2, but MaximumSize is 1");
    }

    [Test]
    public void A_name_that_is_registered_twice_ends_the_start()
    {
        var services = new ServiceCollection();
        services.AddHyperlight().AddSandbox("test", o => o.Guest = Guest);
        services.AddHyperlight().AddSandbox("test", o => o.Guest = Guest);
        using ServiceProvider provider = services.BuildServiceProvider();

        Assert.That(
            () => provider.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("'test': it is registered twice"));
    }

    [Test]
    public void An_unknown_name_lists_those_there_are()
    {
        using ServiceProvider services = Build(o => o.Guest = Guest);

        Assert.That(
            () => services.GetRequiredService<ISandboxPoolFactory>().GetPool("other"),
            Throws.ArgumentException.With.Message.Contains("'other'; there are: test"));
    }

    [Test]
    public async Task Two_containers_do_not_disturb_each_other()
    {
        await using ServiceProvider first = Build(o => o.Guest = Guest);
        await using ServiceProvider second = Build(o => o.Guest = Guest);
        ISandboxPool pool = first.GetRequiredKeyedService<ISandboxPool>("test");

        await second.GetRequiredKeyedService<ISandboxPool>("test").DisposeAsync();

        await using SandboxLease lease = await pool.RentAsync();
        Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    private static void AssertProblem(Action<SandboxTemplateOptions> configure, string message)
    {
        using ServiceProvider services = Build(configure);
        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(message));
    }

    private static ServiceProvider Build(Action<SandboxTemplateOptions> configure) =>
        new ServiceCollection().AddHyperlight(o => o.UseEmulator()).AddSandbox("test", configure).Services.BuildServiceProvider();

    private sealed class Adder : IDisposable
    {
        private int _calls;

        public static int Disposed { get; private set; }

        public int Add(int value) => value + ++_calls;

        public void Dispose() => Disposed++;
    }
}
