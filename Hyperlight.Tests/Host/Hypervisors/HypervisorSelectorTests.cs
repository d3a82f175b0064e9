using Hyperlight.Abstractions;
using Moq;

namespace Hyperlight.Tests.Host.Hypervisors;

/// <summary>Which driver is chosen, and what is said when none can be.</summary>
[TestFixture]
internal sealed class HypervisorSelectorTests
{
    private static readonly HypervisorStatus NoDevice =
        new(HypervisorAvailability.NoDevice, "There is no /dev/first.", "Load the module.");

    [Test]
    public void The_first_usable_one_is_chosen()
    {
        var selector = new HypervisorSelector([Driver("first", NoDevice), Driver("second", Usable), Driver("third", Usable)]);

        Assert.That(selector.Select().ToString(), Is.EqualTo("second (works; first: There is no /dev/first)"));
    }

    [Test]
    public void Drivers_that_do_not_exist_here_are_not_mentioned()
    {
        var elsewhere = new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, "Only on the moon.");

        Assert.That(
            new HypervisorSelector([Driver("first", elsewhere), Driver("second", Usable)]).Select().ToString(),
            Is.EqualTo("second (works)"));
    }

    [Test]
    public void A_choice_is_kept_and_a_failure_is_not()
    {
        var driver = new Mock<IHypervisor>();
        driver.Setup(d => d.Name).Returns("only");
        driver.SetupSequence(d => d.Probe()).Returns(NoDevice).Returns(Usable);
        var selector = new HypervisorSelector([driver.Object]);

        Assert.That(selector.Select, Throws.TypeOf<HypervisorNotAvailableException>());
        HypervisorSelection first = selector.Select();
        Assert.That(selector.Select(), Is.SameAs(first));
        driver.Verify(d => d.Probe(), Times.Exactly(2));
    }

    [Test]
    public void When_none_is_usable_the_error_says_why_and_what_to_do()
    {
        var selector = new HypervisorSelector([Driver("first", NoDevice)]);

        HypervisorNotAvailableException error = Assert.Throws<HypervisorNotAvailableException>(() => selector.Select())!;

        Assert.That(error.Message, Does.Contain("first: There is no /dev/first. Load the module."));
        Assert.That(error.Statuses.Single().Value, Is.SameAs(NoDevice));
    }

    [Test]
    public void Without_drivers_the_error_says_so() =>
        Assert.That(() => new HypervisorSelector([]).Select(), Throws.TypeOf<HypervisorNotAvailableException>());

    [Test]
    public void One_asked_for_by_name_is_never_replaced_by_another()
    {
        var selector = new HypervisorSelector([Driver("first", NoDevice), Driver("second", Usable)]);

        Assert.That(selector.Select("SECOND").Name, Is.EqualTo("second"));
        Assert.That(() => selector.Select("first"), Throws.TypeOf<HypervisorNotAvailableException>());
    }

    [Test]
    public void An_unknown_name_lists_those_there_are() => Assert.That(
        () => new HypervisorSelector([Driver("first", Usable), Driver("second", Usable)]).Select("hyperv"),
        Throws.ArgumentException.With.Message.Contains("first, second"));

    [Test]
    public void The_first_usable_one_of_a_list_of_names_is_chosen()
    {
        var selector = new HypervisorSelector([Driver("first", Usable), Driver("second", NoDevice), Driver("third", Usable)]);

        Assert.That(selector.Select(["second", "THIRD", "first"]).Name, Is.EqualTo("third"));
        Assert.That(
            () => selector.Select(["second"]), Throws.TypeOf<HypervisorNotAvailableException>().With.Message.Contains("Load the module."));
        Assert.That(() => selector.Select(["first", "fourth"]), Throws.ArgumentException.With.Message.Contains("fourth"));
    }

    [TestCase("kvm", "Linux")]
    [TestCase("mshv", "Linux")]
    [TestCase("whp", "Windows")]
    public void One_for_another_operating_system_says_which_system_it_needs(string name, string system)
    {
        if (OperatingSystem.IsOSPlatform(system))
        {
            Assert.That(HypervisorSelector.Default.Hypervisors.Select(h => h.Name), Does.Contain(name));
            return;
        }

        HypervisorNotAvailableException error =
            Assert.Throws<HypervisorNotAvailableException>(() => HypervisorSelector.Default.Select(name))!;

        Assert.That(error.Message, Does.Contain($"needs {system}"));
        Assert.That(error.Statuses.Single().Value.Availability, Is.EqualTo(HypervisorAvailability.UnsupportedPlatform));
    }

    [Test]
    public void Falling_back_to_the_emulator_is_reported_with_the_remedy()
    {
        var selector = new HypervisorSelector([Driver("first", NoDevice), Driver("emulator", Usable)]);

        Assert.That(selector.Select().Remedy, Is.EqualTo("first: Load the module."));
        Assert.That(selector.Select(["first", "emulator"]).Remedy, Is.EqualTo("first: Load the module."));
        Assert.That(selector.Select("emulator").Remedy, Is.Null);
        Assert.That(selector.Select(["emulator", "first"]).Remedy, Is.Null);
        Assert.That(new HypervisorSelector([Driver("emulator", Usable)]).Select().Remedy, Does.Contain("KVM"));
        Assert.That(new HypervisorSelector([Driver("first", NoDevice), Driver("second", Usable)]).Select().Remedy, Is.Null);
    }

    [Test]
    public void The_emulator_is_not_used_where_it_is_not_allowed()
    {
        var selector = new HypervisorSelector([Driver("first", NoDevice), Driver("emulator", Usable)]);

        HypervisorNotAvailableException error =
            Assert.Throws<HypervisorNotAvailableException>(() => selector.Select([], allowEmulator: false))!;

        Assert.That(error.Message, Does.Contain("Load the module.").And.Contains("AllowEmulator"));
        Assert.That(error.Statuses.Select(s => s.Value.Availability), Is.EqualTo(new[] { NoDevice.Availability, HypervisorAvailability.NotAllowed }));
    }

    [Test]
    public void The_reason_says_what_would_be_faster_than_the_chosen_one() => Assert.That(
        new HypervisorSelector([Driver("first", HypervisorStatus.Usable("works, slowly", "Use second."))]).Select().Reason,
        Is.EqualTo("works, slowly; Use second"));

    private static HypervisorStatus Usable => HypervisorStatus.Usable("works");

    private static IHypervisor Driver(string name, HypervisorStatus status) =>
        Mock.Of<IHypervisor>(h => h.Name == name && h.Probe() == status);
}
