using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A call of a guest function in a sandbox that was called before.</summary>
internal sealed class WarmCall(BenchmarkDriver driver, Action<MultiUseSandbox> call) : Scenario
{
    private readonly MultiUseSandbox _sandbox = TestGuest.Builder(driver).Build();

    /// <summary>No argument, no result.</summary>
    public static WarmCall Empty(BenchmarkDriver driver) => new(driver, static s => s.Call("ReturnNothing"));

    /// <summary>Two integers in, one out.</summary>
    public static WarmCall Add(BenchmarkDriver driver) => new(driver, static s => s.Call<int>("Add", 1, 2));

    /// <summary>A guest function that calls a host function a number of times.</summary>
    public static WarmCall WithHostCalls(BenchmarkDriver driver, int count) =>
        new(driver, s => s.Call<long>("CallHostTimes", count));

    public override void Run() => call(_sandbox);

    public override void Dispose() => _sandbox.Dispose();
}
