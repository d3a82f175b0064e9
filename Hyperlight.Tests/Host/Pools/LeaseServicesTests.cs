using Hyperlight.Host.Pools;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>The services of host functions: a scope for each lease.</summary>
[TestFixture]
internal sealed class LeaseServicesTests
{
    [Test]
    public async Task Each_lease_has_its_own_scope_and_none_after_its_end()
    {
        await using ServiceProvider provider = new ServiceCollection().AddScoped<Service>().BuildServiceProvider();
        var services = new LeaseServices { Scopes = provider.GetRequiredService<IServiceScopeFactory>() };

        services.Begin();
        Service first = services.GetRequiredService<Service>();
        Assert.That(services.GetRequiredService<Service>(), Is.SameAs(first));
        await services.End()!.Value.DisposeAsync();
        Assert.That(first.IsDisposed);
        Assert.That(() => services.GetRequiredService<Service>(), Throws.TypeOf<ObjectDisposedException>(), "the lease has ended");
        Assert.That(services.End(), Is.Null);

        services.Begin();
        Assert.That(services.GetRequiredService<Service>(), Is.Not.SameAs(first));
        await services.End()!.Value.DisposeAsync();
    }

    [Test]
    public async Task Functions_that_ask_at_the_same_time_share_the_scope()
    {
        await using ServiceProvider provider = new ServiceCollection().AddScoped<Service>().BuildServiceProvider();
        for (int i = 0; i < 100; i++)
        {
            var services = new LeaseServices { Scopes = provider.GetRequiredService<IServiceScopeFactory>() };
            using var together = new Barrier(2);
            Service[] seen = await Task.WhenAll(Ask(), Ask());
            Assert.That(seen[0], Is.SameAs(seen[1]));
            await services.End()!.Value.DisposeAsync();

            Task<Service> Ask() => Task.Factory.StartNew(
                () =>
                {
                    together.SignalAndWait();
                    return services.GetRequiredService<Service>();
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    [Test]
    public async Task A_lease_ends_on_a_thread_whose_context_runs_nothing()
    {
        await using ServiceProvider provider = new ServiceCollection().AddScoped<SlowService>().BuildServiceProvider();
        var template = new ServicesTemplate(provider.GetRequiredService<IServiceScopeFactory>());
        await using var pool = new SandboxPool(template, null, "test", null, null);
        SandboxLease lease = await pool.RentAsync();
        SlowService service = template.Services!.GetRequiredService<SlowService>();
        using var ended = new ManualResetEventSlim();

        // Like the thread of a user interface, which waits here.
        new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new StoppedContext());
            lease.Dispose();
            ended.Set();
        })
        { IsBackground = true }.Start();

        Assert.That(ended.Wait(TimeSpan.FromMinutes(1)), Is.True);
        Assert.That(service.IsDisposed, Is.True);
    }

    [Test]
    public void A_pool_without_services_says_so() =>
        Assert.That(() => new LeaseServices().GetRequiredService<Service>(), Throws.InvalidOperationException);

    /// <summary>A context whose thread does something else.</summary>
    private sealed class StoppedContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>Sandboxes whose host functions have services.</summary>
    private sealed class ServicesTemplate(IServiceScopeFactory scopes) : ISandboxTemplate, ISandboxSource
    {
        private readonly StubSource _source = new();

        public LeaseServices? Services { get; private set; }

        public ISandboxSource Load(CancellationToken cancellationToken) => this;

        public ISandbox Create(LeaseServices services, CancellationToken cancellationToken)
        {
            services.Scopes = scopes;
            Services = services;
            return _source.Create(services, cancellationToken);
        }

        public void Restore(ISandbox sandbox) => _source.Restore(sandbox);

        public void Dispose() => _source.Dispose();
    }

    private sealed class SlowService : IAsyncDisposable
    {
        public bool IsDisposed { get; private set; }

        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            IsDisposed = true;
        }
    }

    private sealed class Service : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
