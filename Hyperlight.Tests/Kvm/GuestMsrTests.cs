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
    /// <summary>HWCR and VM_CR of AMD: KVM clears some of their bits for nobody once a guest has set them.</summary>
    private static readonly uint[] Sticky = [0xC001_0015, 0xC001_0114];

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

    [TestCaseSource(nameof(Sticky))]
    public void A_register_that_keeps_its_bits_does_not_reach_the_next_guest(uint register)
    {
        byte[] before = _sandbox.Call<byte[]>("SweepMsrs", register, 1U, 0UL);
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Call<byte[]>("SweepMsrs", register, 1U, ulong.MaxValue);
        try
        {
            _sandbox.Restore(snapshot);
        }
        catch (HypervisorException exception)
        {
            Assert.That(exception.Message, Does.Contain($"0x{register:X}"));
            Assert.That(_sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
            return;
        }

        Assert.That(_sandbox.Call<byte[]>("SweepMsrs", register, 1U, 0UL), Is.EqualTo(before));
    }

    [Test]
    public void No_register_that_a_guest_can_write_survives_a_restore()
    {
        MsrSweep before = MsrSweep.Read(_sandbox);
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        MsrSweep planted = MsrSweep.Plant(_sandbox, Sticky);
        TestContext.Out.WriteLine($"planted in {planted.Planted.Count()} registers: {string.Join(' ', planted.Planted.Select(i => i.ToString("X")))}");
        Assert.That(
            planted.Planted.Count(), Is.GreaterThan(MsrPolicy.Default.Writable.Count + 100), "a guest can write more than what is permitted elsewhere");

        _sandbox.Restore(snapshot);

        MsrSweep after = MsrSweep.Read(_sandbox);
        Assert.That(before.Differences(after), Is.Empty);
        Assert.That(after.Time, Is.InRange(before.Time, before.Time + AnHour), "nor does what was added to the clock");
    }
}
