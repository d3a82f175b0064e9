using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A real KVM that is not asked to deny model-specific registers, as one before Linux 5.10: everything that a guest can write
/// is found and put back.
/// </summary>
internal sealed class GuestMsrTests
{
    private const ulong AnHour = 1UL << 44;

    private KvmHypervisor _kvm = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _kvm = RealKvm.Open(new WithoutMsrFilter());
        _sandbox = new TestTarget(_kvm, TestTargets.GeneralGuest).Builder().Build();
    }

    [TearDown]
    public void DisposeSandbox()
    {
        _sandbox?.Dispose();
        _kvm?.Dispose();
    }

    [Test]
    public void No_register_that_a_guest_can_write_survives_a_restore()
    {
        MsrSweep before = MsrSweep.Read(_sandbox);
        using Snapshot snapshot = _sandbox.Snapshot();
        MsrSweep planted = MsrSweep.Plant(_sandbox);
        TestContext.Out.WriteLine($"planted in {planted.Planted.Count()} registers: {string.Join(' ', planted.Planted.Select(i => i.ToString("X")))}");
        Assert.That(
            planted.Planted.Count(), Is.GreaterThan(MsrPolicy.Default.Writable.Count + 100), "a guest can write more than what is permitted elsewhere");

        _sandbox.Restore(snapshot);

        MsrSweep after = MsrSweep.Read(_sandbox);
        Assert.That(before.Differences(after), Is.Empty);
        Assert.That(after.Time, Is.InRange(before.Time, before.Time + AnHour), "nor does what was added to the clock");
    }
}
