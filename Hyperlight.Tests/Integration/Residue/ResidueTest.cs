namespace Hyperlight.Tests.Integration.Residue;

/// <summary>The base of tests in which one tenant plants and another one looks, on every usable driver.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal abstract class ResidueTest(TestTarget target)
{
    protected TestTarget Target { get; } = target;

    protected ResidueScene Scene { get; private set; } = null!;

    [SetUp]
    public void CreateScene() => Scene = new ResidueScene(Target);

    [TearDown]
    public void DisposeScene() => Scene?.Dispose();

    /// <summary>Has each code executed by the first tenant, restores, and collects what the second one finds.</summary>
    protected void AssertNothingSurvives(IEnumerable<GuestCode> codes, TimeSpan patience)
    {
        var endings = new SortedDictionary<string, int>();
        List<string> found = [];
        foreach (GuestCode code in codes)
        {
            Exception? ending = Scene.Execute(code, patience);
            string kind = ending is UnexpectedVmExitException { Exit: var exit } ? exit.Reason.ToString() : ending?.GetType().Name ?? "returned";
            endings[kind] = endings.GetValueOrDefault(kind) + 1;
            if (Scene.Sandbox.Status == SandboxStatus.Poisoned)
            {
                Assert.That(Scene.Sandbox.TakeSnapshot, Throws.TypeOf<SandboxPoisonedException>(), "no snapshot has what was left unfinished");
            }

            found.AddRange(Scene.Restore().Select(line => $"{code}, {kind}: {line}"));
        }

        foreach ((string kind, int count) in endings)
        {
            TestContext.Out.WriteLine($"{kind}: {count}");
        }

        Assert.That(endings.Values.Sum(), Is.Positive);
        Assert.That(found, Is.Empty);
    }
}
