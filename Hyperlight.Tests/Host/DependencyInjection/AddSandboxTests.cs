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
    public async Task Services_of_a_lease_that_is_returned_during_a_call_end_with_the_call()
    {
        using var entered = new SemaphoreSlim(0);
        bool isUsable = false;
        var services = new ServiceCollection();
        services.AddScoped<Resource>();
        services.AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o => o.UseGuest(GuestBinary.FromFile(Guest))
            .AddHostFunctions<Resource>((functions, resource) => functions.WithHostFunction("HostEchoInt", (int x, CancellationToken token) =>
            {
                Resource.Last = resource();
                entered.Release();
                token.WaitHandle.WaitOne();
                isUsable = resource() == Resource.Last && !Resource.Last.IsDisposed;
                return x;
            })));
        await using ServiceProvider provider = services.BuildServiceProvider();
        ISandboxPool pool = provider.GetRequiredKeyedService<ISandboxPool>("test");
        SandboxLease lease = await pool.RentAsync();
        Task<int> call = Task.Run(() => lease.Call<int>("RoundTripInt", 1));
        await entered.WaitAsync();

        await lease.DisposeAsync();

        await Assert.ThatAsync(() => call, Throws.InstanceOf<ExecutionCanceledException>());
        Assert.That(isUsable, Is.True, "the function uses its service until its call has ended");
        Assert.That(() => Resource.Last!.IsDisposed, Is.True.After(60_000, 1));
    }

    [Test]
    public async Task A_stop_that_the_host_does_not_wait_for_is_logged_and_goes_on()
    {
        using var loggers = new RecordingLoggers(Microsoft.Extensions.Logging.LogLevel.Information);
        var services = new ServiceCollection();
        services.AddSingleton<Microsoft.Extensions.Logging.ILoggerFactory>(loggers);
        services.AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o => o.UseGuest(GuestBinary.FromFile(Guest)));
        await using ServiceProvider provider = services.BuildServiceProvider();
        IHostedService hosted = provider.GetServices<IHostedService>().Single();
        ISandboxPool pool = provider.GetRequiredKeyedService<ISandboxPool>("test");
        await hosted.StartAsync(default);
        SandboxLease lease = await pool.RentAsync();

        await hosted.StopAsync(new CancellationToken(canceled: true));

        Assert.That(loggers.All.Select(record => record.Text), Has.One.Contains("not returned: test"));
        Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3), "the lease has its time");
        await lease.DisposeAsync();
        Assert.That(() => pool.Statistics.Size, Is.Zero.After(60_000, 1));
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

    private sealed class Resource : IDisposable
    {
        public static Resource? Last { get; set; }

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Adder : IDisposable
    {
        private int _calls;

        public static int Disposed { get; private set; }

        public int Add(int value) => value + ++_calls;

        public void Dispose() => Disposed++;
    }
}
