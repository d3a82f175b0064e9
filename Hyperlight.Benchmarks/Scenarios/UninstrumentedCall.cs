using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Host.Budgets;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The warm call of two integers, without the code that looks for listeners of calls.</summary>
internal sealed class UninstrumentedCall(BenchmarkDriver driver) : Scenario
{
    private static readonly BudgetLimits Unlimited = new(CallBudget.Unlimited);

    private readonly MultiUseSandbox _sandbox = TestGuest.Builder(driver).Build();

    public override void Run() =>
        _sandbox.CallUnobserved<int>("Add", [1, 2], default, Unlimited, CancellationToken.None);

    public override void Dispose() => _sandbox.Dispose();
}
