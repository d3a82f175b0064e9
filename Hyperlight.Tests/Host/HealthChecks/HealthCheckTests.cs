using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Pools;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Moq;

namespace Hyperlight.Tests.Host.HealthChecks;

/// <summary>The health check: the driver, the state of the pools, and a call.</summary>
[TestFixture]
internal sealed class HealthCheckTests
{
    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    private readonly Dictionary<string, Mock<ISandboxPool>> _pools = [];
    private readonly Dictionary<string, ISandboxPool> _others = [];
    private Mock<IHypervisor> _driver = null!;
    private HypervisorStatus _status;

    [SetUp]
    public void Create()
    {
        _pools.Clear();
        _others.Clear();
        _status = HypervisorStatus.Usable("works");
        _driver = new Mock<IHypervisor>();
        _driver.Setup(d => d.Name).Returns("own");
        _driver.Setup(d => d.Probe()).Returns(() => _status);
    }

    [Test]
    public async Task An_application_that_works_is_healthy_and_the_data_has_driver_and_pools()
    {
        AddPool("a", new SandboxPoolStatistics { Size = 3, MaximumSize = 4, Idle = 1, Rented = 2, Rents = 5_000_000_000 });
        AddPool("b", new SandboxPoolStatistics { Waiting = 9, QueueLength = 10, MaximumSize = 1, Rejections = 7, LostLeases = 1 });

        HealthReportEntry result = await CheckAsync();

        Assert.That(result.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(result.Description, Is.Null);
        Assert.That(result.Data["driver"], Is.EqualTo("own"));
        Assert.That(result.Data["driver.reason"], Is.EqualTo("works"));
        Assert.That(result.Data, Does.Not.ContainKey("driver.remedy"));
        Assert.That(result.Data["pools.a.rents"], Is.EqualTo(5_000_000_000));
        Assert.That(result.Data["pools.a.rented"], Is.EqualTo(2));
        Assert.That(result.Data["pools.b.waiting"], Is.EqualTo(9));
        Assert.That(result.Data["pools.b.rejections"], Is.EqualTo(7));
    }

    [Test]
    public async Task Every_number_of_the_statistics_is_in_the_data()
    {
        AddPool("a", new SandboxPoolStatistics());
        string[] numbers = [.. typeof(SandboxPoolStatistics).GetProperties()
            .Where(p => p.PropertyType == typeof(int) || p.PropertyType == typeof(long))
            .Select(p => p.Name)];

        HealthReportEntry result = await CheckAsync();

        Assert.That(
            result.Data.Keys.Where(key => key.StartsWith("pools.", StringComparison.Ordinal)),
            Is.EquivalentTo(numbers.Select(name => $"pools.a.{char.ToLowerInvariant(name[0])}{name[1..]}")));
        Assert.That(result.Data.Values, Has.All.Matches<object>(value => value is string or long or double), "what every JSON writer knows");
    }

    [Test]
    public async Task A_driver_that_cannot_be_used_is_unhealthy_with_reason_and_remedy()
    {
        _status = new HypervisorStatus(HypervisorAvailability.NoPermission, "It cannot be opened.", "Join the group.");

        HealthReportEntry result = await CheckAsync();

        Assert.That(result.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(result.Description, Does.Contain("It cannot be opened.").And.Contain("Join the group."));
        Assert.That(result.Exception, Is.TypeOf<HypervisorNotAvailableException>());
    }

    [Test]
    public async Task A_driver_that_cannot_be_used_any_more_is_unhealthy()
    {
        await using ServiceProvider services = Build();
        Assert.That((await CheckAsync(services)).Status, Is.EqualTo(HealthStatus.Healthy));

        _status = new HypervisorStatus(HypervisorAvailability.NoDevice, "There is no device.", "Load the module.");

        HealthReportEntry result = await CheckAsync(services);
        Assert.That(result.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(result.Description, Is.EqualTo("The hypervisor 'own' cannot be used any more: There is no device. Load the module."));
    }

    [Test]
    public async Task The_emulator_in_place_of_a_hypervisor_is_healthy_and_the_data_has_the_remedy()
    {
        var factory = new Mock<ISandboxFactory>();
        factory.Setup(f => f.Hypervisor).Returns(new HypervisorSelection(_driver.Object, "works") { Remedy = "Install one." });

        HealthReportEntry result = await CheckAsync(register: services => services.AddSingleton(factory.Object));

        Assert.That(result.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(result.Data["driver.remedy"], Is.EqualTo("Install one."));
    }

    [Test]
    public async Task The_worst_pool_is_the_result_and_every_problem_is_described()
    {
        AddPool("full", new SandboxPoolStatistics { Waiting = 10, QueueLength = 10 });
        Assert.That((await CheckAsync()).Status, Is.EqualTo(HealthStatus.Degraded));

        AddPool("broken", new SandboxPoolStatistics(), NoSandbox, new InvalidOperationException("There is no memory."));
        AddPool("closed", new SandboxPoolStatistics { IsClosed = true });
        AddPool("full too", new SandboxPoolStatistics { Waiting = 1, QueueLength = 1 });
        HealthReportEntry result = await CheckAsync();

        Assert.That(result.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(result.Description, Does.Contain("'full' is full: 10 callers wait")
            .And.Contain("'broken' cannot create a sandbox: There is no memory.").And.Contain("'closed' is closed."));
        Assert.That(result.Exception, Is.TypeOf<InvalidOperationException>());
    }

    [Test]
    public async Task A_pool_that_has_sandboxes_but_can_create_no_further_one_is_degraded()
    {
        AddPool("a", new SandboxPoolStatistics { Size = 2 }, failure: new InvalidOperationException("There is no memory."));

        HealthReportEntry result = await CheckAsync();

        Assert.That(result.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(result.Description, Is.EqualTo("The pool 'a' cannot create a sandbox: There is no memory. It has 2."));
    }

    [Test]
    public async Task A_pool_that_can_create_sandboxes_again_is_healthy_without_a_caller()
    {
        var source = new StubSource { LoadFailure = new InvalidOperationException("There is no file.") };
        await using var pool = new SandboxPool(source, new SandboxPoolOptions { MinimumSize = 0 }, "a", null, null);
        await Assert.ThrowsAsync<PoolCreationException>(async () => await pool.RentAsync());
        _others["a"] = pool;
        Assert.That((await CheckAsync()).Status, Is.EqualTo(HealthStatus.Unhealthy));

        source.LoadFailure = null;

        Assert.That((await CheckAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(pool.Statistics.Rented, Is.Zero);
    }

    [Test]
    public async Task A_pool_with_state_per_key_that_cannot_create_a_sandbox_is_unhealthy()
    {
        var source = new StubSource { LoadFailure = new InvalidOperationException("There is no file.") };
        var options = new SandboxPoolOptions { MinimumSize = 0, Isolation = SandboxIsolation.KeepStatePerKey };
        await using var pool = new SandboxPool(source, options, "a", null, null);
        await Assert.ThrowsAsync<PoolCreationException>(async () => await pool.RentAsync("key"));
        _others["a"] = pool;

        Assert.That((await CheckAsync()).Status, Is.EqualTo(HealthStatus.Unhealthy));
    }

    [Test]
    public async Task A_pool_without_a_queue_is_never_full()
    {
        AddPool("a", new SandboxPoolStatistics { Rented = 1, MaximumSize = 1, QueueLength = 0 });

        Assert.That((await CheckAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task The_status_of_a_failure_can_be_chosen()
    {
        AddPool("closed", new SandboxPoolStatistics { IsClosed = true });
        await using ServiceProvider services = Build(builder => builder.AddHyperlight(name: "mild", failureStatus: HealthStatus.Degraded, tags: ["ready"]));

        HealthReport report = await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("ready"));

        Assert.That(report.Entries.Single().Value.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(report.Entries.Keys, Is.EqualTo(new[] { "mild" }));
    }

    [Test]
    public async Task A_probe_calls_the_guest_and_returns_its_sandbox()
    {
        var sandbox = new Mock<ISandbox>();
        sandbox.Setup(s => s.Call<int>("Add", 1, 2)).Returns(3);
        AddPool("a", new SandboxPoolStatistics(), () => new SandboxLease(sandbox.Object));
        int result = 0;

        HealthReportEntry entry = await CheckAsync(o => o.Probe("a", (lease, _) =>
        {
            result = lease.Call<int>("Add", 1, 2);
            return Task.CompletedTask;
        }));

        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(result, Is.EqualTo(3));
        Assert.That(entry.Data["probe.milliseconds"], Is.TypeOf<double>());
    }

    [Test]
    public async Task A_probe_that_fails_is_unhealthy_and_one_that_gets_no_sandbox_is_degraded()
    {
        AddPool("a", new SandboxPoolStatistics(), () => new SandboxLease(Mock.Of<ISandbox>()));
        AddPool("busy", new SandboxPoolStatistics(), () => throw new PoolQueueFullException("busy", 5, 5, 1));

        HealthReportEntry failed = await CheckAsync(o => o.Probe("a", (_, _) => throw new InvalidOperationException("The guest is wrong.")));
        HealthReportEntry busy = await CheckAsync(o => o.Probe("busy", (_, _) => Task.CompletedTask));
        HealthReportEntry unknown = await CheckAsync(o => o.Probe("other", (_, _) => Task.CompletedTask));

        Assert.That(failed.Status, Is.EqualTo(HealthStatus.Unhealthy));
        Assert.That(failed.Description, Is.EqualTo("The call of a guest of 'a' failed: The guest is wrong."));
        Assert.That(busy.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(unknown.Status, Is.EqualTo(HealthStatus.Unhealthy));
    }

    [Test]
    public async Task A_guest_that_does_not_return_is_ended_by_the_time_limit()
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging()
            .AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o => o.Guest = Guest).Services
            .AddHealthChecks().AddHyperlight(
                o => o.Probe("test", (lease, token) => lease.CallAsync("SpinForever", [], token)), timeout: TimeSpan.FromSeconds(0.5)).Services
            .BuildServiceProvider();

        HealthReport report = await services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.That(report.Status, Is.EqualTo(HealthStatus.Unhealthy));
        await using SandboxLease next = await services.GetRequiredKeyedService<ISandboxPool>("test").RentAsync();
        Assert.That(next.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public async Task A_pool_of_the_container_is_unhealthy_when_it_is_closed()
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging()
            .AddHyperlight(o => o.UseEmulator()).AddSandbox("test", o => o.Guest = Guest).Services
            .AddHealthChecks().AddHyperlight(o => o.Probe("TEST", (lease, token) => lease.CallAsync<int>("Add", [1, 2], token))).Services
            .BuildServiceProvider();
        Assert.That((await CheckAsync(services)).Status, Is.EqualTo(HealthStatus.Healthy));

        await services.GetRequiredKeyedService<ISandboxPool>("test").DisposeAsync();

        Assert.That((await CheckAsync(services)).Description, Does.StartWith("The pool 'test' is closed."));
    }

    [Test]
    public void Arguments_are_checked()
    {
        Assert.That(() => new HyperlightHealthCheckOptions().Probe(" ", (_, _) => Task.CompletedTask), Throws.ArgumentException);
        Assert.That(() => new HyperlightHealthCheckOptions().Probe("a", null!), Throws.ArgumentNullException);
        Assert.That(() => new ServiceCollection().AddHealthChecks().AddHyperlight(name: ""), Throws.ArgumentException);
    }

    private static SandboxLease NoSandbox() => throw new PoolCreationException("a", new InvalidOperationException());

    private void AddPool(string name, SandboxPoolStatistics statistics, Func<SandboxLease>? rent = null, Exception? failure = null)
    {
        var pool = new Mock<ISandboxPool>();
        pool.Setup(p => p.Statistics).Returns(statistics);
        pool.Setup(p => p.LastFailure).Returns(failure);
        pool.Setup(p => p.RentAsync(It.IsAny<CancellationToken>())).Returns(() => ValueTask.FromResult(rent!()));
        _pools[name] = pool;
    }

    private async Task<HealthReportEntry> CheckAsync(
        Action<HyperlightHealthCheckOptions>? configure = null, Action<IServiceCollection>? register = null)
    {
        await using ServiceProvider services = Build(builder => builder.AddHyperlight(configure), register);
        return await CheckAsync(services);
    }

    private static async Task<HealthReportEntry> CheckAsync(ServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["hyperlight"];

    private ServiceProvider Build(Action<IHealthChecksBuilder>? add = null, Action<IServiceCollection>? register = null)
    {
        var factory = new Mock<ISandboxPoolFactory>();
        factory.Setup(f => f.Names).Returns([.. _pools.Keys, .. _others.Keys]);
        factory.Setup(f => f.GetPool(It.IsAny<string>())).Returns((string name) =>
            _pools.TryGetValue(name, out Mock<ISandboxPool>? pool) ? pool.Object
            : _others.TryGetValue(name, out ISandboxPool? other) ? other
            : throw new ArgumentException("There is no such pool."));
        IServiceCollection services = new ServiceCollection().AddLogging().AddSingleton(factory.Object);
        services.AddHyperlight().RemoveBuiltInDrivers().AddDriver(_driver.Object);
        register?.Invoke(services);
        (add ?? (static builder => builder.AddHyperlight()))(services.AddHealthChecks());
        return services.BuildServiceProvider();
    }
}
