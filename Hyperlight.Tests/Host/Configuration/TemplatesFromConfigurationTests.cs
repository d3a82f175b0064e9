using Hyperlight.Abstractions;
using Hyperlight.Host.Configuration;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.Configuration;

/// <summary>Templates of sandboxes from configuration: every property can be set, and configuration and code combine in any order.</summary>
[TestFixture]
internal sealed class TemplatesFromConfigurationTests
{
    private const string Template = "Hyperlight:Sandboxes:test:";

    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    private static readonly string HelloGuest = Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf");

    [Test]
    public void Every_property_has_a_key()
    {
        Assert.That(TemplateSettings.All.Select(s => s.Key), Is.EquivalentTo(Names(typeof(SandboxTemplateOptions)).Append(TemplateSettings.FileMappings)));
        Assert.That(
            FileMappingSettings.All.Select(s => s.Key),
            Is.EquivalentTo(Names(typeof(TemplateFileMapping)).Except([nameof(TemplateFileMapping.Source)])));
        Assert.That(PoolSettings.All.Select(s => s.Key), Is.EquivalentTo(Names(typeof(SandboxPoolOptions))));
    }

    [Test]
    public void Every_key_is_read()
    {
        SandboxTemplateOptions read = Read(
            (Template + "Guest", Guest),
            (Template + "GuestThreads", "3"),
            (Template + "ReloadOnChange", "true"),
            (Template + "Configuration:HeapSize", "64 MiB"),
            (Template + "Configuration:GuestMsrs", "None"),
            (Template + "Configuration:Budget:WallClockTime", "00:00:02"),
            (Template + "Pool:MaximumSize", "7"),
            (Template + "Pool:MinimumSize", "2"),
            (Template + "Pool:QueueLength", "9"),
            (Template + "Pool:WaitTimeout", "00:00:05"),
            (Template + "Pool:IdleTimeout", "infinite"),
            (Template + "Pool:DrainTimeout", "00:01:00"),
            (Template + "Pool:Budget:HostCalls", "100"),
            (Template + "Pool:Isolation", "keepStatePerKey"),
            (Template + "Pool:CaptureRentStack", "true"));

        Assert.That(read.Guest, Is.EqualTo(Guest));
        Assert.That(read.ReloadOnChange, Is.True);
        Assert.That(read.GuestThreads!.MaximumCount, Is.EqualTo(3));
        Assert.That(read.Configuration!.HeapSize, Is.EqualTo(64 << 20));
        Assert.That(read.Configuration.GuestMsrs, Is.EqualTo(MsrPolicy.None));
        Assert.That(read.Configuration.Budget.WallClockTime, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(read.Pool, Is.EqualTo(new SandboxPoolOptions
        {
            MaximumSize = 7,
            MinimumSize = 2,
            QueueLength = 9,
            WaitTimeout = TimeSpan.FromSeconds(5),
            IdleTimeout = Timeout.InfiniteTimeSpan,
            DrainTimeout = TimeSpan.FromMinutes(1),
            Budget = new CallBudget { HostCalls = 100 },
            Isolation = SandboxIsolation.KeepStatePerKey,
            CaptureRentStack = true,
        }));
    }

    [Test]
    public void A_saved_snapshot_can_be_the_guest()
    {
        using var files = new TestFiles();
        SandboxTemplateOptions read = Read((Template + "SnapshotDirectory", files.Directory), (Template + "SnapshotReference", "ready"));

        Assert.That(read.SnapshotDirectory, Is.EqualTo(files.Directory));
        Assert.That(read.SnapshotReference, Is.EqualTo("ready"));
    }

    [Test]
    public async Task A_template_needs_no_code()
    {
        await using ServiceProvider services = Build(Section((Template + "Guest", Guest), ("Hyperlight:Hypervisor", "emulator")));
        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("test");

        await using SandboxLease lease = await pool.RentAsync();

        Assert.That(lease.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public async Task Configuration_and_code_are_one_template_in_both_orders([Values] bool configurationIsFirst)
    {
        IConfiguration configuration = Section(
            ("Hyperlight:Hypervisor", "emulator"),
            ("Hyperlight:Sandboxes:TEST:Guest", Guest),
            ("Hyperlight:Sandboxes:TEST:Pool:MaximumSize", "3"));
        var collection = new ServiceCollection();
        if (configurationIsFirst)
        {
            collection.AddHyperlight(configuration);
        }

        collection.AddHyperlight().AddSandbox("Test", o =>
        {
            o.Guest = HelloGuest;
            o.Pool = new SandboxPoolOptions { MaximumSize = 9, MinimumSize = 0, QueueLength = 5 };
            o.ConfigureSandbox(builder => builder.WithHostFunction("HostEchoInt", (int x) => x + 1));
        });
        if (!configurationIsFirst)
        {
            collection.AddHyperlight(configuration);
        }

        await using ServiceProvider services = collection.BuildServiceProvider();
        services.GetRequiredService<IStartupValidator>().Validate();
        await using SandboxLease lease = await services.GetRequiredKeyedService<ISandboxPool>("test").RentAsync();

        Assert.That(lease.Call<int>("RoundTripInt", 1), Is.EqualTo(2), "a guest from configuration, a host function from code");
        Assert.That(services.GetRequiredService<ISandboxPoolFactory>().Names, Is.EqualTo(new[] { "Test" }));
        SandboxPoolOptions pool = Options(services, "Test").Pool;
        Assert.That(pool.MaximumSize, Is.EqualTo(3), "configuration");
        Assert.That(pool.QueueLength, Is.EqualTo(5), "code");
    }

    [Test]
    public void Any_guest_of_the_configuration_replaces_that_of_the_code([Values("Guest", "SnapshotDirectory")] string key)
    {
        using var files = new TestFiles();
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(Section((Template + key, key == "Guest" ? Guest : files.Directory)))
            .AddSandbox("test", o => o.UseGuest(GuestBinary.FromFile(Guest)))
            .Services.BuildServiceProvider();

        SandboxTemplateOptions options = Options(services);

        Assert.That(options.Binary, Is.Null);
        Assert.That((options.Guest, options.SnapshotDirectory), Is.EqualTo(key == "Guest" ? (Guest, null) : ((string?)null, files.Directory)));
    }

    [Test]
    public void A_template_starts_with_the_configuration_of_all_sandboxes()
    {
        SandboxConfiguration read = Read(
            (Template + "Guest", Guest),
            (Template + "Configuration:HeapSize", "2 MiB"),
            ("Hyperlight:Configuration:HeapSize", "1 MiB"),
            ("Hyperlight:Configuration:InputBufferSize", "32 KiB")).Configuration!;

        Assert.That(read.HeapSize, Is.EqualTo(2 << 20));
        Assert.That(read.InputBufferSize, Is.EqualTo(32 << 10));
        Assert.That(Read((Template + "Guest", Guest)).Configuration, Is.Null, "the options of all sandboxes");
    }

    [Test]
    public void The_case_of_a_name_does_not_matter()
    {
        using ServiceProvider services = Build(Section(("Hyperlight:Sandboxes:Resize:Guest", Guest)));

        ISandboxPool pool = services.GetRequiredKeyedService<ISandboxPool>("RESIZE");

        Assert.That(pool.Name, Is.EqualTo("Resize"));
        Assert.That(services.GetRequiredKeyedService<ISandboxPool>("resize"), Is.SameAs(pool));
        Assert.That(services.GetRequiredService<ISandboxPoolFactory>().GetPool("reSize"), Is.SameAs(pool));
    }

    [Test]
    public void A_name_that_no_template_has_is_an_error_that_lists_those_there_are()
    {
        using ServiceProvider services = Build(Section((Template + "Guest", Guest)));
        using ServiceProvider none = Build(Section());

        Assert.That(
            () => services.GetRequiredKeyedService<ISandboxPool>("tset"),
            Throws.ArgumentException.With.Message.Contains("'tset'; there are: test"));
        Assert.That(
            () => none.GetRequiredKeyedService<ISandboxPool>("tset"), Throws.ArgumentException.With.Message.Contains("'tset'; none is registered"));
        Assert.That(
            () => services.GetRequiredKeyedService<ISandboxPool>(5), Throws.ArgumentException.With.Message.Contains("'5' is not a text"));
    }

    [Test]
    public void A_source_of_configuration_can_be_added_after_the_registration()
    {
        var configuration = new ConfigurationManager();
        using ServiceProvider services = Build(configuration.GetSection("Hyperlight"));
        configuration.AddInMemoryCollection([KeyValuePair.Create(Template + "Guest", (string?)Guest)]);

        Assert.That(services.GetRequiredService<ISandboxPoolFactory>().Names, Is.EqualTo(new[] { "test" }));
        Assert.That(Options(services).Guest, Is.EqualTo(Guest));
    }

    [Test]
    public void A_later_configuration_replaces_single_values_of_an_earlier_one()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(Section((Template + "Guest", Guest), (Template + "Pool:MaximumSize", "3"))).Services
            .AddHyperlight(Section(("Hyperlight:Sandboxes:Test:Pool:MaximumSize", "4"))).Services
            .BuildServiceProvider();

        Assert.That(Options(services).Guest, Is.EqualTo(Guest));
        Assert.That(Options(services).Pool.MaximumSize, Is.EqualTo(4));
    }

    [TestCase("Guest", "missing.elf")]
    [TestCase("Guest", " ")]
    [TestCase("SnapshotDirectory", "missing")]
    [TestCase("SnapshotReference", "")]
    [TestCase("ReloadOnChange", "1")]
    [TestCase("InitDataFile", "missing")]
    [TestCase("InitDataFile", "")]
    [TestCase("GuestResource", "")]
    [TestCase("GuestThreads", "0")]
    [TestCase("GuestThreads", "many")]
    [TestCase("Configuration", "large")]
    [TestCase("Configuration:HeapSize", "1 MB")]
    [TestCase("Configuration:GuestMsrs", "All")]
    [TestCase("Configuration:Budget:WallClockTime", "-00:00:01")]
    [TestCase("Pool", "4")]
    [TestCase("Pool:MaximumSize", "0")]
    [TestCase("Pool:MaximumSize", "65537")]
    [TestCase("Pool:MaximumSize", "99999999999")]
    [TestCase("Pool:MinimumSize", "-1")]
    [TestCase("Pool:QueueLength", "1000001")]
    [TestCase("Pool:WaitTimeout", "30")]
    [TestCase("Pool:WaitTimeout", "00:00:00")]
    [TestCase("Pool:IdleTimeout", "-00:01:00")]
    [TestCase("Pool:IdleTimeout", "100000.00:00:00")]
    [TestCase("Pool:DrainTimeout", "Infinite")]
    [TestCase("Pool:Isolation", "Some")]
    [TestCase("Pool:Isolation", "3")]
    [TestCase("Pool:CaptureRentStack", "1")]
    public void A_value_that_cannot_be_used_ends_the_start_and_names_key_and_value(string key, string value) => Assert.That(
        () => Read((Template + "Guest", Guest), (Template + key, value)),
        Throws.TypeOf<OptionsValidationException>().With.Message.Contains($"{Template}{key} is '{value}'").And.Message.Contains("Set it to "));

    [Test]
    public void What_contradicts_itself_or_lacks_ends_the_start_and_names_the_key()
    {
        AssertProblem(Template + "Pool:MinimumSize is 5, but MaximumSize is 4. Set it to at most 4.",
            (Template + "Guest", Guest), (Template + "Pool:MinimumSize", "5"), (Template + "Pool:MaximumSize", "4"));
        AssertProblem($"{Template}Guest is '{Guest}' and SnapshotDirectory is '/': these are 2 guests. Remove all but one.",
            (Template + "Guest", Guest), (Template + "SnapshotDirectory", "/"));
        AssertProblem(Template + "Guest is not set. Set it to the path of a guest", (Template + "Pool:MinimumSize", "1"));
        AssertProblem("Hyperlight:Sandboxes:test is 'hello.elf'. Set it to a section.", ("Hyperlight:Sandboxes:test", "hello.elf"));
        AssertProblem("Hyperlight:Sandboxes is 'hello.elf'. Set it to a section", ("Hyperlight:Sandboxes", "hello.elf"));
        AssertProblem("A sandbox template has no name.", ("Hyperlight:Sandboxes: :Guest", Guest));
    }

    [TestCase("Gest", "Guest")]
    [TestCase("Pool:MaxSize", "MaximumSize")]
    [TestCase("Configuration:HeapSise", "HeapSize")]
    public void An_unknown_key_ends_the_start_and_lists_those_there_are(string key, string known) => Assert.That(
        () => Read((Template + "Guest", Guest), (Template + key, "1")),
        Throws.TypeOf<OptionsValidationException>().With.Message.Contains($"{Template}{key} is not a setting").And.Message.Contains(known));

    [Test]
    public void All_problems_of_all_templates_are_reported_at_once() => Assert.That(
        Assert.Throws<OptionsValidationException>(() => Read(
            (Template + "Guest", "missing.elf"), (Template + "Nothing", "1"), (Template + "Pool:MaximumSize", "no"),
            ("Hyperlight:Sandboxes:other:Guest", "other.elf")))!.Failures.Count(),
        Is.EqualTo(4));

    [Test]
    public void A_problem_of_the_other_options_is_reported_once()
    {
        OptionsValidationException exception = Assert.Throws<OptionsValidationException>(
            () => Read((Template + "Guest", Guest), ("Hyperlight:Hypervisor", "bhyve")))!;

        Assert.That(exception.OptionsType, Is.EqualTo(typeof(HyperlightOptions)));
        Assert.That(exception.Failures.Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_name_that_differs_in_case_is_registered_twice()
    {
        using ServiceProvider services = new ServiceCollection().AddHyperlight()
            .AddSandbox("test", o => o.Guest = Guest).AddSandbox("TEST", o => o.Guest = Guest)
            .Services.BuildServiceProvider();

        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("'test': it is registered twice"));
    }

    [Test]
    public void A_template_of_code_alone_is_named_by_its_key_if_there_is_a_configuration()
    {
        using ServiceProvider services = new ServiceCollection().AddHyperlight(Section()).AddSandbox("test").Services.BuildServiceProvider();

        Assert.That(
            () => services.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.StartsWith(Template + "Guest is not set."));
    }

    private static void AssertProblem(string message, params (string Key, string Value)[] configuration) =>
        Assert.That(() => Read(configuration), Throws.TypeOf<OptionsValidationException>().With.Message.Contains(message));

    /// <summary>The options of the template "test" of an application that starts with a configuration.</summary>
    private static SandboxTemplateOptions Read(params (string Key, string Value)[] configuration)
    {
        using ServiceProvider services = Build(Section(configuration));
        services.GetRequiredService<IStartupValidator>().Validate();
        return Options(services);
    }

    private static SandboxTemplateOptions Options(IServiceProvider services, string name = "test") =>
        services.GetRequiredService<IOptionsMonitor<SandboxTemplateOptions>>().Get(name);

    private static ServiceProvider Build(IConfiguration configuration) =>
        new ServiceCollection().AddHyperlight(configuration).Services.BuildServiceProvider();

    private static IConfigurationSection Section(params (string Key, string Value)[] configuration) => new ConfigurationBuilder()
        .AddInMemoryCollection(configuration.GroupBy(pair => pair.Key).Select(group => KeyValuePair.Create(group.Key, (string?)group.Last().Value)))
        .Build()
        .GetSection("Hyperlight");

    private static IEnumerable<string> Names(Type type) => type.GetProperties().Select(property => property.Name);
}
