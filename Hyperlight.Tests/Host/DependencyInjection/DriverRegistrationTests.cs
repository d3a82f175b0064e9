using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Moq;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>Drivers of the application's own beside the built-in ones, and which driver a container's sandboxes run on.</summary>
[TestFixture]
internal sealed class DriverRegistrationTests
{
    [Test]
    public void A_driver_registered_before_is_preferred_to_the_built_in_ones() =>
        AssertPreferred(services => services.AddSingleton(Usable("own")).AddHyperlight());

    [Test]
    public void A_driver_registered_after_is_preferred_to_the_built_in_ones() =>
        AssertPreferred(services => services.AddHyperlight().Services.AddSingleton(Usable("own")));

    [Test]
    public void A_driver_added_with_the_builder_is_preferred_to_the_built_in_ones() =>
        AssertPreferred(services => services.AddHyperlight().AddDriver(Usable("own")));

    [Test]
    public void A_driver_type_is_created_by_the_container_once()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().AddDriver<OwnDriver>().AddDriver<OwnDriver>()
            .Services.BuildServiceProvider();

        HypervisorSelector selector = services.GetRequiredService<HypervisorSelector>();

        Assert.That(selector.Hypervisors.OfType<OwnDriver>().Count(), Is.EqualTo(1));
        Assert.That(selector.Hypervisors[0], Is.TypeOf<OwnDriver>());
    }

    [Test]
    public void Built_in_drivers_and_application_drivers_are_both_available()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().AddDriver(Unusable("own"))
            .Services.BuildServiceProvider();

        HypervisorSelector selector = services.GetRequiredService<HypervisorSelector>();

        Assert.That(
            selector.Hypervisors.Select(h => h.Name),
            Is.EqualTo(HypervisorSelector.Default.Hypervisors.Select(h => h.Name).Prepend("own")));
        Assert.That(selector.Select().Reason, Does.Contain("own: broken"));
    }

    [Test]
    public void Removing_the_built_in_drivers_is_permanent()
    {
        var collection = new ServiceCollection();
        collection.AddHyperlight().RemoveBuiltInDrivers().AddDriver(Unusable("own"));
        collection.AddHyperlight();
        using ServiceProvider services = collection.BuildServiceProvider();

        Assert.That(services.GetRequiredService<HypervisorSelector>().Hypervisors.Select(h => h.Name), Is.EqualTo(new[] { "own" }));
    }

    [Test]
    public void The_drivers_of_two_containers_are_their_own()
    {
        var collection = new ServiceCollection();
        collection.AddHyperlight();
        using ServiceProvider first = collection.BuildServiceProvider();
        using ServiceProvider second = collection.BuildServiceProvider();

        Assert.That(
            first.GetRequiredService<HypervisorSelector>().Hypervisors,
            Is.Not.SubsetOf(second.GetRequiredService<HypervisorSelector>().Hypervisors));
    }

    [Test]
    public void The_first_usable_driver_of_a_list_is_used()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().AddDriver(Usable("third")).AddDriver(Unusable("first")).AddDriver(Usable("second"))
            .UseDriver("first", "SECOND")
            .Services.BuildServiceProvider();

        Assert.That(services.GetRequiredService<ISandboxFactory>().Hypervisor.Name, Is.EqualTo("second"));
    }

    [Test]
    public void Options_that_exclude_each_other_are_refused() => Assert.Multiple(() =>
    {
        AssertInvalid(
            options =>
            {
                options.Hypervisor = "kvm";
                options.Hypervisors.Add("emulator");
            },
            "Hypervisor is 'kvm' and HyperlightOptions.Hypervisors is [emulator]");
        AssertInvalid(options => options.UseEmulator().AllowEmulator = false, "AllowEmulator is false");
        AssertInvalid(options => options.Hypervisors.Add("bhyve"), "Hypervisors:0 is 'bhyve'");
        AssertInvalid(options => options.Hypervisor = " ", "Hypervisor is ' '");
        AssertInvalid(options => options.Configuration = null!, "Configuration is null");
    });

    [Test]
    public void A_list_of_drivers_has_a_name() => Assert.Multiple(() =>
    {
        IHyperlightBuilder builder = new ServiceCollection().AddHyperlight();
        Assert.That(() => builder.UseDriver(), Throws.ArgumentException);
        Assert.That(() => builder.UseDriver("kvm", ""), Throws.ArgumentException);
        Assert.That(() => new SandboxBuilder().WithHypervisors(), Throws.ArgumentException);
        Assert.That(() => new SandboxBuilder().WithHypervisors(" "), Throws.ArgumentException);
    });

    [Test]
    public void A_factorys_builder_finds_names_among_the_drivers_of_its_container()
    {
        ScriptedMachine guest = new ScriptedMachine().Initialise().Initialise();
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().AddDriver(guest.Hypervisor.Object).UseDriver("emulator")
            .Services.BuildServiceProvider();
        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        foreach (SandboxBuilder builder in new[]
        {
            factory.CreateBuilder().WithHypervisor("mock"),
            factory.CreateBuilder().WithHypervisors("mshv", "mock"),
        })
        {
            using MultiUseSandbox sandbox = builder.WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build())).Build();
            Assert.That(sandbox.Hypervisor.Hypervisor, Is.SameAs(guest.Hypervisor.Object));
            guest.Forget();
        }
    }

    [Test]
    public void The_emulator_in_place_of_a_hypervisor_is_a_warning_with_the_remedy_once()
    {
        using var loggers = new RecordingLoggers(LogLevel.Information);
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(loggers)
            .AddHyperlight().RemoveBuiltInDrivers().AddDriver(Unusable("own")).AddDriver(Usable("emulator"))
            .Services.BuildServiceProvider();
        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        _ = factory.Hypervisor;
        _ = factory.Hypervisor;

        RecordingLoggers.Record record = loggers.Library.Single();
        Assert.That(record.Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(record.Text, Does.Contain("emulator").And.Contain("own: broken").And.Contain("Mend it."));
    }

    [Test]
    public void A_builder_without_a_container_warns_too()
    {
        using var loggers = new RecordingLoggers(LogLevel.Information);
        ScriptedMachine guest = new ScriptedMachine().Initialise().Initialise();
        guest.Hypervisor.Setup(h => h.Name).Returns("emulator");
        SandboxBuilder builder = new SandboxBuilder(new HypervisorSelector([Unusable("own"), guest.Hypervisor.Object]))
            .WithLogging(loggers)
            .WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build()));

        builder.Build().Dispose();
        guest.Forget();
        builder.Build().Dispose();

        Assert.That(loggers.Library.Single(r => r.Level == LogLevel.Warning).Text, Does.Contain("Mend it."));
    }

    [Test]
    public void Without_the_emulator_there_is_no_sandbox_where_no_hypervisor_is_usable()
    {
        var builder = new SandboxBuilder(new HypervisorSelector([Unusable("own"), Usable("emulator")]));
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(options => options.AllowEmulator = false)
            .RemoveBuiltInDrivers().AddDriver(Unusable("own")).AddDriver(Usable("emulator"))
            .Services.BuildServiceProvider();

        Assert.That(
            () => builder.WithoutEmulator().WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build())).Build(),
            Throws.TypeOf<HypervisorNotAvailableException>().With.Message.Contains("Mend it."));
        Assert.That(() => services.GetRequiredService<ISandboxFactory>().Hypervisor, Throws.TypeOf<HypervisorNotAvailableException>());
    }

    private static void AssertPreferred(Func<IServiceCollection, object> register)
    {
        var collection = new ServiceCollection();
        _ = register(collection);
        using ServiceProvider services = collection.BuildServiceProvider();

        Assert.That(services.GetRequiredService<ISandboxFactory>().Hypervisor.Name, Is.EqualTo("own"));
    }

    private static void AssertInvalid(Action<HyperlightOptions> configure, string message)
    {
        using ServiceProvider services = new ServiceCollection().AddHyperlight(configure).Services.BuildServiceProvider();
        Assert.That(
            () => services.GetRequiredService<Microsoft.Extensions.Options.IStartupValidator>().Validate(),
            Throws.TypeOf<Microsoft.Extensions.Options.OptionsValidationException>().With.Message.Contains(message));
    }

    private static IHypervisor Usable(string name) =>
        Mock.Of<IHypervisor>(h => h.Name == name && h.Probe() == HypervisorStatus.Usable("works", null));

    private static IHypervisor Unusable(string name) => Mock.Of<IHypervisor>(
        h => h.Name == name && h.Probe() == new HypervisorStatus(HypervisorAvailability.Failed, "broken.", "Mend it."));

    private sealed class OwnDriver : IHypervisor
    {
        public string Name => "own";

        public string ProcessorVendor => "";

        public HypervisorStatus Probe() => HypervisorStatus.Usable("works");

        public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => throw new NotSupportedException();

        public IMemoryRegion AllocateMemory(nuint size) => throw new NotSupportedException();

        public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
            throw new NotSupportedException();
    }
}
