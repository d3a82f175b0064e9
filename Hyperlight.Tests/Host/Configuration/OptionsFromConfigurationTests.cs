using Hyperlight.Abstractions;
using Hyperlight.Host.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Host.Configuration;

/// <summary>Options from configuration: every property can be set, and what cannot be used names the key, the value and the fix.</summary>
[TestFixture]
internal sealed class OptionsFromConfigurationTests
{
    private const string Sandbox = "Hyperlight:Configuration:";

    [Test]
    public void Every_property_of_the_options_has_a_key()
    {
        Assert.That(HyperlightSettings.All.Select(s => s.Key), Is.EquivalentTo(Names(typeof(HyperlightOptions)).Concat(["Sandboxes", "Programs"])));
        Assert.That(SandboxSettings.All.Select(s => s.Key), Is.EquivalentTo(Names(typeof(SandboxConfiguration))));
        Assert.That(BudgetSettings.All.Select(s => s.Key), Is.EquivalentTo(Names(typeof(CallBudget))));
    }

    [Test]
    public void Every_key_of_the_drivers_is_read()
    {
        HyperlightOptions options = Read(
            ("Hyperlight:Hypervisors:0", "kvm"), ("Hyperlight:Hypervisors:1", "emulator"), ("Hyperlight:AllowEmulator", "True"),
            ("Hyperlight:GuestThreads", "5"));

        Assert.That(options.Hypervisors, Is.EqualTo(new[] { "kvm", "emulator" }));
        Assert.That(options.AllowEmulator, Is.True);
        Assert.That(options.GuestThreads.MaximumCount, Is.EqualTo(5));
        Assert.That(
            () => Read(("Hyperlight:AllowEmulator", "False"), ("Hyperlight:Hypervisor", "emulator")),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("Hyperlight:AllowEmulator is false"));
        Assert.That(Read(("Hyperlight:Hypervisors", "")).Hypervisors, Is.Empty, "an empty list");
        Assert.That(Read(("hyperlight:hypervisor", "emulator")).Hypervisor, Is.EqualTo("emulator"));
    }

    [Test]
    public void Every_key_of_a_sandbox_is_read()
    {
        SandboxConfiguration read = Read(
            (Sandbox + "InputBufferSize", "64 KiB"),
            (Sandbox + "OutputBufferSize", "131072"),
            (Sandbox + "HeapSize", "1.5 MiB"),
            (Sandbox + "ScratchSize", "1mib"),
            (Sandbox + "GuestLogLevel", "debug"),
            (Sandbox + "GuestLogRate", "50"),
            (Sandbox + "FileMappingTable", "true"),
            (Sandbox + "ExecutableHeap", "true"),
            (Sandbox + "GuestTimer", "true"),
            (Sandbox + "RandomSeed", "18446744073709551615"),
            (Sandbox + "Budget:WallClockTime", "00:00:05"),
            (Sandbox + "budget:cputime", "00:00:00.250"),
            (Sandbox + "Budget:Instructions", "1000000"),
            (Sandbox + "Budget:HostCalls", "0"),
            (Sandbox + "Budget:LogRecords", "9223372036854775807"),
            (Sandbox + "Budget:PrintedBytes", "64 KiB")).Configuration;

        Assert.That(read.InputBufferSize, Is.EqualTo(0x1_0000));
        Assert.That(read.OutputBufferSize, Is.EqualTo(0x2_0000));
        Assert.That(read.HeapSize, Is.EqualTo(0x18_0000));
        Assert.That(read.ScratchSize, Is.EqualTo(0x10_0000));
        Assert.That(read.GuestLogLevel, Is.EqualTo(GuestLogLevel.Debug));
        Assert.That(read.GuestLogRate, Is.EqualTo(50));
        Assert.That(read.FileMappingTable, Is.True);
        Assert.That(read.ExecutableHeap, Is.True);
        Assert.That(read.GuestTimer, Is.True);
        Assert.That(read.RandomSeed, Is.EqualTo(ulong.MaxValue));
        Assert.That(read.Budget, Is.EqualTo(new CallBudget
        {
            WallClockTime = TimeSpan.FromSeconds(5),
            CpuTime = TimeSpan.FromMilliseconds(250),
            Instructions = 1_000_000,
            HostCalls = 0,
            LogRecords = long.MaxValue,
            PrintedBytes = 0x1_0000,
        }));
    }

    [TestCase("compatible", "0.15.3", true)]
    [TestCase("compatible", "0.17.0", false)]
    [TestCase("Any", "0.17.0", true)]
    [TestCase("0.17.0", "0.17.0", true)]
    [TestCase("0.17.0", "0.15.0", false)]
    public void The_policy_of_guest_versions_is_a_word_or_versions(string value, string version, bool accepted) => Assert.That(
        Read((Sandbox + "AcceptedGuestVersions", value)).Configuration.AcceptedGuestVersions.Accepts(version), Is.EqualTo(accepted));

    [Test]
    public void The_policy_of_guest_versions_may_be_a_list() => Assert.That(
        Read((Sandbox + "AcceptedGuestVersions:0", "0.15.0"), (Sandbox + "AcceptedGuestVersions:1", "0.17.0"))
            .Configuration.AcceptedGuestVersions.ToString(),
        Is.EqualTo("0.15.0 and 0.17.0"));

    [Test]
    public void The_policy_for_model_specific_registers_is_a_word_and_registers()
    {
        Assert.That(Read((Sandbox + "GuestMsrs", "none")).Configuration.GuestMsrs, Is.EqualTo(MsrPolicy.None));
        Assert.That(
            Read((Sandbox + "GuestMsrs:0", "Default"), (Sandbox + "GuestMsrs:1", "0x1A0"), (Sandbox + "GuestMsrs:2", "0xC0010015"))
                .Configuration.GuestMsrs,
            Is.EqualTo(MsrPolicy.Default.With(0x1A0, 0xC001_0015)));
        Assert.That(
            () => Read((Sandbox + "GuestMsrs:0", "None"), (Sandbox + "GuestMsrs:1", "0x49")),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("0x49"));
        Assert.That(
            () => Read((Sandbox + "GuestMsrs:0", "None"), (Sandbox + "GuestMsrs:1", "277")), Throws.TypeOf<OptionsValidationException>());
    }

    [TestCase("Hypervisor", "bhyve")]
    [TestCase("AllowEmulator", "perhaps")]
    [TestCase("GuestThreads", "0")]
    [TestCase("GuestThreads", "-1")]
    [TestCase("GuestThreads", "2.5")]
    [TestCase("Sandboxes", "hello")]
    [TestCase("Configuration", "large")]
    [TestCase("Configuration:InputBufferSize", "8191")]
    [TestCase("Configuration:InputBufferSize", "3 GiB")]
    [TestCase("Configuration:OutputBufferSize", "16")]
    [TestCase("Configuration:HeapSize", "0")]
    [TestCase("Configuration:HeapSize", "-1")]
    [TestCase("Configuration:HeapSize", "12 parsecs")]
    [TestCase("Configuration:HeapSize", "99999999999999999999 GiB")]
    [TestCase("Configuration:HeapSize", "0.3 B")]
    [TestCase("Configuration:HeapSize", "")]
    [TestCase("Configuration:ScratchSize", "5000")]
    [TestCase("Configuration:AcceptedGuestVersions", "whatever")]
    [TestCase("Configuration:GuestLogLevel", "7")]
    [TestCase("Configuration:GuestLogLevel", "3")]
    [TestCase("Configuration:GuestLogLevel", "")]
    [TestCase("Configuration:GuestLogRate", "0")]
    [TestCase("Configuration:GuestLogRate", "1 KiB")]
    [TestCase("Configuration:GuestLogRate", "99999999999")]
    [TestCase("Configuration:FileMappingTable", "1")]
    [TestCase("Configuration:RandomSeed", "-1")]
    [TestCase("Configuration:ExecutableHeap", "yes")]
    [TestCase("Configuration:GuestMsrs", "0x277")]
    [TestCase("Configuration:Budget", "small")]
    [TestCase("Configuration:Budget:WallClockTime", "5")]
    [TestCase("Configuration:Budget:WallClockTime", "00:00:00")]
    [TestCase("Configuration:Budget:WallClockTime", "100.00:00:00")]
    [TestCase("Configuration:Budget:WallClockTime", "Infinite")]
    [TestCase("Configuration:Budget:CpuTime", "-00:00:01")]
    [TestCase("Configuration:Budget:Instructions", "0")]
    [TestCase("Configuration:Budget:HostCalls", "-1")]
    [TestCase("Configuration:Budget:LogRecords", "many")]
    [TestCase("Configuration:Budget:PrintedBytes", "64 KB")]
    public void A_value_that_cannot_be_used_ends_the_start_and_names_key_and_value(string key, string value) => Assert.That(
        () => Read(($"Hyperlight:{key}", value)),
        Throws.TypeOf<OptionsValidationException>().With.Message.Contains($"Hyperlight:{key} is '{value}'. "));

    [TestCase("Hypervisr")]
    [TestCase("Configuration:HeapSise")]
    [TestCase("HeapSize")]
    public void An_unknown_key_ends_the_start_and_lists_those_there_are(string key) => Assert.That(
        () => Read(($"Hyperlight:{key}", "1")),
        Throws.TypeOf<OptionsValidationException>()
            .With.Message.Contains($"Hyperlight:{key} is not a setting").And.Message.Contains(key.Contains(':') ? "HeapSize" : "AllowEmulator"));

    [Test]
    public void A_section_where_a_value_belongs_is_an_error() => Assert.Multiple(() =>
    {
        Assert.That(
            () => Read((Sandbox + "HeapSize:Maximum", "1 MiB")),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(Sandbox + "HeapSize is ['1 MiB']. Set it to"));
        Assert.That(
            () => Read(("Hyperlight:Hypervisors:0:Name", "kvm")),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains("Hyperlight:Hypervisors is"));
    });

    [Test]
    public void The_message_in_the_documentation_is_the_one_that_is_given()
    {
        string documentation = File.ReadAllText(Path.Combine(Documentation.Repository.Root, "docs", "configuration.md"));

        OptionsValidationException exception = Assert.Throws<OptionsValidationException>(() => Read((Sandbox + "HeapSize", "1 MB")))!;

        Assert.That(documentation, Does.Contain(exception.Message));
    }

    [Test]
    public void All_problems_are_reported_at_once() => Assert.That(
        Assert.Throws<OptionsValidationException>(
            () => Read(("Hyperlight:Nothing", "1"), (Sandbox + "HeapSize", "no"), (Sandbox + "ScratchSize", "no")))!.Failures.Count(),
        Is.EqualTo(3));

    [Test]
    public void Code_that_configures_later_wins()
    {
        var services = new ServiceCollection();
        services.AddHyperlight(Section(("Hyperlight:Hypervisor", "kvm"), (Sandbox + "HeapSize", "1 MiB")));
        services.AddHyperlight(options => options.UseEmulator());
        using ServiceProvider provider = services.BuildServiceProvider();

        HyperlightOptions options = provider.GetRequiredService<IOptions<HyperlightOptions>>().Value;

        Assert.That(options.Hypervisors, Is.EqualTo(new[] { "emulator" }));
        Assert.That(options.Hypervisor, Is.Null);
        Assert.That(options.Configuration.HeapSize, Is.EqualTo(0x10_0000));
    }

    /// <summary>The options of an application that starts with a configuration.</summary>
    private static HyperlightOptions Read(params (string Key, string Value)[] configuration)
    {
        using ServiceProvider services = new ServiceCollection().AddHyperlight(Section(configuration)).Services.BuildServiceProvider();
        services.GetRequiredService<IStartupValidator>().Validate();
        return services.GetRequiredService<IOptions<HyperlightOptions>>().Value;
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] configuration) => new ConfigurationBuilder()
        .AddInMemoryCollection(configuration.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
        .Build()
        .GetSection("Hyperlight");

    private static IEnumerable<string> Names(Type type) => type.GetProperties(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance).Select(property => property.Name);
}
