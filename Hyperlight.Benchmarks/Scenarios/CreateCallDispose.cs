using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox's whole life: built from a parsed ELF, called once, disposed.</summary>
internal sealed class CreateCallDispose(BenchmarkDriver driver) : Scenario
{
    private readonly SandboxBuilder _builder = TestGuest.Builder(driver);

    public override void Run()
    {
        using MultiUseSandbox sandbox = _builder.Build();
        _ = sandbox.Call<int>("Add", 1, 2);
    }

    public override void Dispose()
    {
    }
}
