using Hyperlight.Abstractions;
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
        AssertProblem(_ => { }, "Sandbox template 'test': Guest is not set. Set it to the path of a guest");
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
    public async Task What_is_wrong_with_a_guest_or_its_host_functions_ends_the_start_also_if_no_sandbox_is_warmed_up()
    {
        await AssertStartFails(o => o.Guest = typeof(AddSandboxTests).Assembly.Location, "not an ELF file");
        await AssertStartFails(
            o =>
            {
                o.Guest = Guest;
                o.ConfigureSandbox(builder => builder.WithHostFunction("f", (DateTime time) => time.Year));
            },
            "DateTime");

        static async Task AssertStartFails(Action<SandboxTemplateOptions> configure, string message)
        {
            await using ServiceProvider services = Build(o =>
            {
                configure(o);
                o.Pool = new SandboxPoolOptions { MinimumSize = 0 };
            });
            IHostedService hosted = services.GetServices<IHostedService>().Single();
            PoolCreationException exception = await Assert.ThrowsAsync<PoolCreationException>(() => hosted.StartAsync(default));
            Assert.That(exception.Message, Does.Contain("'test'").And.Contains(message));
        }
    }

    [Test]
    public void A_driver_that_cannot_be_used_ends_the_start_and_names_the_option()
    {
        AssertDriverProblem(o => o.Hypervisor = "own", "HyperlightOptions.Hypervisor is 'own'. The hypervisor 'own' cannot run a guest.");
        AssertDriverProblem(o => o.Hypervisors.Add("own"), "HyperlightOptions.Hypervisors is [own]. ");
        AssertDriverProblem(o => o.AllowEmulator = false, "HyperlightOptions.AllowEmulator is false. ");

        static void AssertDriverProblem(Action<HyperlightOptions> configure, string message)
        {
            var status = new HypervisorStatus(HypervisorAvailability.Failed, "It cannot be opened.", "Join the group.");
            using ServiceProvider services = new ServiceCollection()
                .AddHyperlight(configure).RemoveBuiltInDrivers()
                .AddDriver(Moq.Mock.Of<IHypervisor>(h => h.Name == "own" && h.Probe() == status))
                .AddSandbox("test", o => o.Guest = Guest)
                .Services.BuildServiceProvider();
            Assert.That(
                () => services.GetRequiredService<IStartupValidator>().Validate(),
                Throws.TypeOf<OptionsValidationException>()
                    .With.Message.Contains(message).And.Message.Contains("It cannot be opened.").And.Message.Contains("Join the group."));
        }
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
