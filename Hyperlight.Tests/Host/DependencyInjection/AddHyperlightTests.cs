using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>What <c>services.AddHyperlight()</c> gives an application.</summary>
[TestFixture]
internal sealed class AddHyperlightTests
{
    [Test]
    public void The_drivers_of_this_system_are_registered_in_order_of_preference()
    {
        using ServiceProvider services = new ServiceCollection().AddHyperlight().Services.BuildServiceProvider();

        string[] expected = OperatingSystem.IsLinux() ? ["mshv", "kvm", "emulator"]
            : OperatingSystem.IsWindows() ? ["whp", "emulator"] : ["emulator"];
        Assert.That(services.GetServices<IHypervisor>().Select(h => h.Name), Is.EqualTo(expected));
    }

    [Test]
    public void A_sandbox_is_built_on_a_driver_of_the_applications_own()
    {
        ScriptedMachine guest = new ScriptedMachine().Initialise().Answer(GoldenVectors.IntResult);
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton(guest.Hypervisor.Object)
            .AddHyperlight()
            .Services.BuildServiceProvider();

        using MultiUseSandbox sandbox = services.GetRequiredService<ISandboxFactory>().CreateBuilder()
            .WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build()))
            .Build();

        Assert.That(sandbox.Hypervisor.Name, Is.EqualTo("mock"));
        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void The_options_reach_the_builders()
    {
        ScriptedMachine guest = new ScriptedMachine().Initialise();
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton(guest.Hypervisor.Object)
            .AddHyperlight(options =>
            {
                options.Hypervisor = "mock";
                options.Configuration = new SandboxConfiguration { ScratchSize = 0x100_000 };
            })
            .Services.BuildServiceProvider();

        using UninitializedSandbox sandbox = services.GetRequiredService<ISandboxFactory>().CreateBuilder()
            .WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build()))
            .BuildUninitialized();

        Assert.That(guest.Regions[1].Size, Is.EqualTo((nuint)0x100_000));
    }

    [Test]
    public void A_snapshot_is_loaded_for_the_applications_driver()
    {
        var guest = new ScriptedMachine();
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton(guest.Hypervisor.Object)
            .AddHyperlight()
            .Services.BuildServiceProvider();
        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();
        using var files = new TestFiles();
        string directory = Path.Combine(files.Directory, "snapshots");
        using (MultiUseSandbox sandbox = guest.Build())
        using (Snapshot snapshot = sandbox.TakeSnapshot())
        {
            snapshot.Save(directory, "ready");
        }

        using Snapshot loaded = factory.LoadSnapshot(directory, "ready");

        Assert.That(loaded.Hypervisor, Is.EqualTo("mock"));
        guest.Forget();
        guest.Answer(GoldenVectors.IntResult);
        using MultiUseSandbox another = factory.CreateBuilder().WithSnapshot(loaded).Build();
        Assert.That(another.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void A_driver_that_does_not_exist_ends_the_start_of_the_application()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(options => options.Hypervisor = "bhyve")
            .Services.BuildServiceProvider();

        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("HyperlightOptions.Hypervisor is 'bhyve'").And.Message.Contains("emulator"));
    }

    [Test]
    public void The_choice_is_logged_once()
    {
        var guest = new ScriptedMachine();
        using var loggers = new RecordingLoggers(LogLevel.Information);
        using ServiceProvider services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(loggers)
            .AddSingleton(guest.Hypervisor.Object)
            .AddHyperlight()
            .Services.BuildServiceProvider();
        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        _ = factory.Hypervisor;
        _ = factory.Hypervisor;

        Assert.That(loggers.Library.Single().Text, Does.Contain("mock").And.Contain("scripted"));
    }

    [Test]
    public void Adding_twice_registers_once()
    {
        var services = new ServiceCollection();
        services.AddHyperlight();
        int count = services.Count(d => d.ServiceType == typeof(IHypervisor));
        services.AddHyperlight();

        Assert.That(services.Count(d => d.ServiceType == typeof(IHypervisor)), Is.EqualTo(count));
        Assert.That(services.Count(d => d.ServiceType == typeof(ISandboxFactory)), Is.EqualTo(1));
    }
}
