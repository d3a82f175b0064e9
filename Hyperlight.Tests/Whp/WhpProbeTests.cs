using Hyperlight.Abstractions;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>What Probe says about each obstacle, and that creating a machine says the same.</summary>
[TestFixture]
internal sealed class WhpProbeTests
{
    private static readonly WhpOptions WithoutSurrogates = new(static _ => null) { MaxSurrogates = 0 };

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void A_usable_platform_is_named_and_left_without_partitions()
    {
        using SimulatedWhp whp = new();
        Assert.Multiple(() =>
        {
            Assert.That(whp.Hypervisor.Probe(), Is.EqualTo(HypervisorStatus.Usable("winhvplatform.dll")));
            Assert.That(whp.Platform.Partitions, Is.Zero);
            Assert.That(whp.Windows.LiveProcesses, Is.Zero, "no surrogate is started before it is needed");
        });
    }

    [Test]
    public void The_real_library_is_not_there_on_another_platform()
    {
        using WhpHypervisor whp = new(WinHv.Instance, WindowsKernel.Instance, WithoutSurrogates, string.Empty);
        HypervisorStatus status = whp.Probe();
        Assert.That(status.Availability, Is.EqualTo(HypervisorAvailability.UnsupportedPlatform));
        Assert.That(status.Reason, Does.Contain("WHP needs Windows"));
        Assert.That(() => whp.AllocateMemory(0x1000), Throws.TypeOf<HypervisorNotAvailableException>());
    }

    [Test]
    public void A_library_that_is_missing_names_the_feature_and_how_to_enable_it() => AssertObstacle(
        static traits => traits.HasLibrary = false,
        HypervisorAvailability.NoDevice,
        "Enable-WindowsOptionalFeature -Online -FeatureName HypervisorPlatform");

    [Test]
    public void A_hypervisor_that_does_not_run_is_explained() => AssertObstacle(
        static traits => traits.IsHypervisorPresent = false, HypervisorAvailability.MissingCapability, "HypervisorPlatform");

    [Test]
    public void A_library_without_mappings_of_other_processes_names_the_minimum_version() => AssertObstacle(
        static traits => traits.MissingFunctions.Add("WHvMapGpaRange2"),
        HypervisorAvailability.WrongApiVersion,
        "Windows 11 or Windows Server 2022");

    [Test]
    public void Without_surrogates_no_mappings_of_other_processes_are_needed()
    {
        using SimulatedWhp whp = new(WithoutSurrogates);
        whp.Platform.Traits.MissingFunctions.Add("WHvMapGpaRange2");
        Assert.That(whp.Hypervisor.Probe().IsUsable, Is.True);
    }

    [Test]
    public void A_library_that_lacks_another_function_names_it() => AssertObstacle(
        static traits => traits.MissingFunctions.Add("WHvTranslateGva"), HypervisorAvailability.WrongApiVersion, "WHvTranslateGva");

    [Test]
    public void A_platform_without_extended_state_is_explained() => AssertObstacle(
        static traits => traits.Features = 3, HypervisorAvailability.MissingCapability, "Xsave");

    [Test]
    public void A_user_who_may_not_create_partitions_is_told_what_to_do() => AssertObstacle(
        static traits => traits.CreateResult = SimulatedResults.AccessDenied,
        HypervisorAvailability.NoPermission,
        "Hyper-V Administrators");

    [Test]
    public void A_partition_that_cannot_be_created_is_reported_with_its_result() => AssertObstacle(
        static traits => traits.CreateResult = SimulatedResults.Fail, HypervisorAvailability.Failed, "0x80004005");

    [Test]
    public void A_failure_is_not_kept()
    {
        using SimulatedWhp whp = new();
        whp.Platform.Traits.HasLibrary = false;
        Assert.That(whp.Hypervisor.Probe().IsUsable, Is.False);

        whp.Platform.Traits.HasLibrary = true;
        Assert.That(whp.Hypervisor.Probe().IsUsable, Is.True);
    }

    private static void AssertObstacle(Action<SimulatedWhpTraits> traits, HypervisorAvailability availability, string text)
    {
        using SimulatedWhp whp = new();
        traits(whp.Platform.Traits);
        HypervisorStatus status = whp.Hypervisor.Probe();
        var error = Assert.Throws<HypervisorNotAvailableException>(
            () => whp.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions()))!;
        Assert.Multiple(() =>
        {
            Assert.That(status.Availability, Is.EqualTo(availability), status.ToString());
            Assert.That(status.ToString(), Does.Contain(text));
            Assert.That(error.Message, Is.EqualTo(status.ToString()));
        });
    }
}
