namespace Hyperlight.Tests.Integration;

/// <summary>The base of the tests that run the test guest; each runs on every usable driver and guest build.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.Runnable))]
internal abstract class GuestTest(TestTarget target)
{
    private readonly List<MultiUseSandbox> _sandboxes = [];

    protected TestTarget Target { get; } = target;

    /// <summary>A fresh sandbox of the test guest.</summary>
    protected MultiUseSandbox Sandbox { get; private set; } = null!;

    [SetUp]
    public void CreateSandbox() => Sandbox = Build(_ => { });

    [TearDown]
    public void DisposeSandboxes()
    {
        _sandboxes.ForEach(s => s.Dispose());
        _sandboxes.Clear();
    }

    /// <summary>A further sandbox, configured; it is disposed after the test.</summary>
    protected MultiUseSandbox Build(Action<SandboxBuilder> configure)
    {
        SandboxBuilder builder = Target.Builder();
        configure(builder);
        MultiUseSandbox sandbox = builder.Build();
        _sandboxes.Add(sandbox);
        return sandbox;
    }

    /// <summary>The sandbox still answers.</summary>
    protected void AssertUsable()
    {
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
        Assert.That(Sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
    }

    /// <summary>The call fails with an error of a type and leaves the sandbox poisoned.</summary>
    protected TException AssertPoisons<TException>(Action<MultiUseSandbox> call)
        where TException : Exception
    {
        TException exception = Assert.Throws<TException>(() => call(Sandbox))!;
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(() => Sandbox.Call<int>("Add", 1, 2), Throws.TypeOf<SandboxPoisonedException>());
        return exception;
    }
}
