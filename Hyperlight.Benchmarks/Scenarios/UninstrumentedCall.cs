using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The warm call of two integers, without the code that looks for listeners of calls.</summary>
internal sealed class UninstrumentedCall(BenchmarkDriver driver) : Scenario
{
    private readonly MultiUseSandbox _sandbox = TestGuest.Builder(driver).Build();

    public override void Run() =>
        _sandbox.CallUnobserved<int>("Add", [1, 2], default, Timeout.InfiniteTimeSpan, CancellationToken.None);

    public override void Dispose() => _sandbox.Dispose();
}
