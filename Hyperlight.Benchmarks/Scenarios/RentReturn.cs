using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Host.Pools;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox is rented and returned, without a call, and nothing is restored: what the pool itself takes.</summary>
internal sealed class RentReturn : Scenario
{
    private const int Operations = 100;

    private readonly SandboxPool _pool;

    public RentReturn(BenchmarkDriver driver)
    {
        _pool = new SandboxPool(new Template(driver), new SandboxPoolOptions { MaximumSize = 1 }, "benchmark", loggers: null, timeProvider: null);
        _pool.WarmUpAsync().GetAwaiter().GetResult();
    }

    public override int OperationsPerRun => Operations;

    public override void Run()
    {
        for (int i = 0; i < Operations; i++)
        {
            ValueTask<SandboxLease> rent = _pool.RentAsync();

            // A return that the system interrupts counts as a long one, and the next goes to the thread pool.
            (rent.IsCompletedSuccessfully ? rent.Result : rent.AsTask().GetAwaiter().GetResult()).Dispose();
        }
    }

    public override void Dispose() => _pool.Dispose();

    private sealed class Template(BenchmarkDriver driver) : ISandboxTemplate, ISandboxSource
    {
        public ISandboxSource Load(CancellationToken cancellationToken) => this;

        public ISandbox Create(LeaseServices services, CancellationToken cancellationToken) => TestGuest.Builder(driver).Build(cancellationToken);

        public void Restore(ISandbox sandbox)
        {
        }

        public void Dispose()
        {
        }
    }
}
