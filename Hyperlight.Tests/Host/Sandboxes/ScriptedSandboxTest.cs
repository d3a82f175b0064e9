using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The base of the tests that call a sandbox over a mocked driver.</summary>
internal abstract class ScriptedSandboxTest
{
    protected ScriptedMachine Guest { get; private set; } = null!;

    protected MultiUseSandbox Sandbox { get; private set; } = null!;

    [SetUp]
    public void CreateSandbox()
    {
        Guest = new ScriptedMachine();
        Sandbox = Guest.Build();
    }

    [TearDown]
    public void DisposeSandbox() => Sandbox.Dispose();

    /// <summary>The next call works.</summary>
    protected void AssertUsable()
    {
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
        Guest.Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3), "the next call works");
    }
}
