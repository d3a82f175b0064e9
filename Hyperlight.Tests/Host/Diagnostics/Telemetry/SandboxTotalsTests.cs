using System.Globalization;
using System.Runtime.CompilerServices;
using Hyperlight.Tests.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>The number of sandboxes that exist, and their memory.</summary>
[TestFixture]
internal sealed class SandboxTotalsTests
{
    private readonly RecordedMetrics _metrics = new();

    [OneTimeTearDown]
    public void Dispose() => _metrics.Dispose();

    [Test]
    public void Sandboxes_are_counted_with_their_memory_and_a_shared_image_once()
    {
        var guest = new ScriptedMachine();
        guest.Initialise();
        SandboxBuilder builder = guest.Builder().WithMetrics(_metrics);
        MultiUseSandbox first = builder.Build();
        ulong scratch = new SandboxConfiguration().ScratchSize;
        string image = _metrics.Of("hyperlight.sandbox.memory").Single(v => v.Contains("kind=image", StringComparison.Ordinal));
        Assert.That(_metrics.Of("hyperlight.sandbox.count"), Is.EqualTo(new[] { "driver=mock: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.memory"), Does.Contain($"driver=mock kind=scratch: {scratch}"));

        guest.Forget();
        guest.Initialise();
        MultiUseSandbox second = builder.Build();
        Assert.That(_metrics.Of("hyperlight.sandbox.count"), Is.EqualTo(new[] { "driver=mock: 2" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.memory"), Is.EqualTo(new[] { image, $"driver=mock kind=scratch: {2 * scratch}" }));

        // The snapshot has as many pages as the guest's image, because the guest has not run.
        using (Snapshot snapshot = second.TakeSnapshot())
        {
            second.Restore(snapshot);
            second.Restore(snapshot);
        }

        long size = long.Parse(image.Split(' ')[^1], CultureInfo.InvariantCulture);
        Assert.That(_metrics.Of("hyperlight.sandbox.memory")[0], Is.EqualTo($"driver=mock kind=image: {2 * size}"), "two images");

        first.Dispose();
        Assert.That(_metrics.Of("hyperlight.sandbox.memory"), Is.EqualTo(new[] { image, $"driver=mock kind=scratch: {scratch}" }));

        second.Dispose();
        second.Dispose();
        Assert.That(_metrics.Of("hyperlight.sandbox.count"), Is.Empty);
        Assert.That(_metrics.Of("hyperlight.sandbox.memory"), Is.Empty);
    }

    [Test]
    public void A_sandbox_that_is_dropped_is_counted_until_it_is_collected()
    {
        using var metrics = new RecordedMetrics();
        Drop(metrics);
        for (int i = 0; i < 20 && metrics.Of("hyperlight.sandbox.count").Length > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(metrics.Of("hyperlight.sandbox.count"), Is.Empty);
        Assert.That(metrics.Of("hyperlight.sandbox.memory"), Is.Empty);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(RecordedMetrics metrics)
    {
        var guest = new ScriptedMachine();
        guest.Initialise();
        _ = guest.Builder().WithMetrics(metrics).Build();
        Assert.That(metrics.Of("hyperlight.sandbox.count"), Is.EqualTo(new[] { "driver=mock: 1" }));
    }
}
