namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Defaults and limits of the configuration.</summary>
[TestFixture]
internal sealed class SandboxConfigurationTests
{
    [Test]
    public void The_defaults_are_the_abis()
    {
        var configuration = new SandboxConfiguration();

        Assert.That(configuration.InputBufferSize, Is.EqualTo(0x4000));
        Assert.That(configuration.OutputBufferSize, Is.EqualTo(0x4000));
        Assert.That(configuration.HeapSize, Is.EqualTo(0x20000));
        Assert.That(configuration.ScratchSize, Is.EqualTo(0x48000));
        Assert.That(configuration.GuestLogLevel, Is.Null);
        Assert.That(configuration.GuestLogRate, Is.EqualTo(1000));
        Assert.That(configuration.ExecutableHeap, Is.False);
        Assert.That(configuration.GuestTimer, Is.False);
        Assert.That(configuration.RandomSeed, Is.Null);
        Assert.That(configuration.AcceptedGuestVersions, Is.SameAs(GuestVersionPolicy.Compatible));
        Assert.That(configuration, Is.EqualTo(new SandboxConfiguration()), "value equality");
    }

    [Test]
    public void Scratch_memory_follows_the_buffers_and_the_heap_unless_it_is_set()
    {
        var derived = new SandboxConfiguration { InputBufferSize = 0x10_0001, OutputBufferSize = 0x20_0000, HeapSize = 0x100_0001 };
        SandboxConfiguration set = derived with { ScratchSize = 0x48000 };

        Assert.That(derived.ScratchSize, Is.EqualTo(0x30_1000 + 0x100_1000 + 0x8000 + 0x2_0000));
        Assert.That((derived with { HeapSize = 0x1000 }).ScratchSize, Is.EqualTo(0x30_1000 + 0x1000 + 0x2_0000));
        Assert.That((set with { HeapSize = 0x1000 }).ScratchSize, Is.EqualTo(0x48000));
        Assert.That(
            new SandboxConfiguration { HeapSize = SandboxConfiguration.MaximumHeapSize }.ScratchSize,
            Is.GreaterThan(SandboxConfiguration.MaximumHeapSize).And.LessThanOrEqualTo(SandboxConfiguration.MaximumScratchSize));
    }

    [Test]
    public void Values_out_of_range_are_refused_with_the_value_and_the_limit()
    {
        AssertRefused(() => new SandboxConfiguration { InputBufferSize = 0x1FFF }, "InputBufferSize", "8192");
        AssertRefused(() => new SandboxConfiguration { OutputBufferSize = 0x1FFF }, "OutputBufferSize", "8191");
        AssertRefused(() => new SandboxConfiguration { OutputBufferSize = int.MaxValue }, "OutputBufferSize", "1073741824");
        AssertRefused(() => new SandboxConfiguration { HeapSize = 0 }, "HeapSize", "0");
        AssertRefused(() => new SandboxConfiguration { HeapSize = SandboxConfiguration.MaximumHeapSize + 1 }, "HeapSize", "4273983488");
        AssertRefused(() => new SandboxConfiguration { ScratchSize = 0 }, "ScratchSize", "0");
        AssertRefused(() => new SandboxConfiguration { ScratchSize = 0x48001 }, "ScratchSize", "4096");
        AssertRefused(() => new SandboxConfiguration { ScratchSize = 1UL << 40 }, "ScratchSize", "17179865088");
        Assert.That(() => new SandboxConfiguration { AcceptedGuestVersions = null! }, Throws.ArgumentNullException);
    }

    [TestCase("0.15.0", true)]
    [TestCase("0.15.12", true)]
    [TestCase("0.16.0", true)]
    [TestCase("0.15.", false)]
    [TestCase("0.15", false)]
    [TestCase("0.17.0", false)]
    [TestCase("0.15.0+dev", false)]
    [TestCase("10.15.0", false)]
    [TestCase("", false)]
    public void The_default_policy_accepts_two_series(string version, bool accepted) =>
        Assert.That(GuestVersionPolicy.Compatible.Accepts(version), Is.EqualTo(accepted));

    [Test]
    public void Other_policies()
    {
        Assert.That(GuestVersionPolicy.Any.Accepts("whatever"), Is.True);
        Assert.That(GuestVersionPolicy.Exactly("0.15.0", "0.15.1").Accepts("0.15.1"), Is.True);
        Assert.That(GuestVersionPolicy.Exactly("0.15.0").Accepts("0.15.1"), Is.False);
        Assert.That(() => GuestVersionPolicy.Exactly(), Throws.ArgumentException);
    }

    private static void AssertRefused(Func<object> create, params string[] texts)
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => create())!;
        Assert.Multiple(() =>
        {
            foreach (string text in texts)
            {
                Assert.That(error.Message, Does.Contain(text));
            }
        });
    }
}
