using System.Text.Json;
using System.Text.RegularExpressions;
using Hyperlight.Host.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Documentation;

/// <summary>docs/configuration.md: its fragments work, and its tables name what exists.</summary>
[TestFixture]
internal sealed class ConfigurationPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "configuration.md"));

    [Test]
    public void The_json_fragment_is_a_configuration()
    {
        IConfiguration configuration = Read(Fragment("json"));
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(configuration.GetSection("Hyperlight"))
            .RemoveBuiltInDrivers()
            .AddDriver(Moq.Mock.Of<Hyperlight.Abstractions.IHypervisor>(h => h.Name == "kvm"))
            .AddDriver(Moq.Mock.Of<Hyperlight.Abstractions.IHypervisor>(h => h.Name == "emulator"))
            .Services.BuildServiceProvider();

        HyperlightOptions options = services.GetRequiredService<IOptions<HyperlightOptions>>().Value;

        Assert.That(options.Hypervisors, Is.EqualTo(new[] { "kvm", "emulator" }));
        Assert.That(options.Configuration.HeapSize, Is.EqualTo(1 << 20));
        Assert.That(options.Configuration.ScratchSize, Is.EqualTo(2 << 20));
        Assert.That(options.Configuration.GuestLogLevel, Is.EqualTo(GuestLogLevel.Warning));
    }

    [Test]
    public void The_json_fragment_of_templates_is_a_configuration()
    {
        IConfiguration configuration = Read(Fragments("json")[1]);
        configuration["Hyperlight:Sandboxes:hello:Guest"] = Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf");
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(configuration.GetSection("Hyperlight"))
            .Services.BuildServiceProvider();

        SandboxTemplateOptions options = services.GetRequiredService<IOptionsMonitor<SandboxTemplateOptions>>().Get("hello");

        Assert.That(options.Configuration!.HeapSize, Is.EqualTo(4 << 20));
        Assert.That(options.Configuration.Budget.WallClockTime, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(options.Pool, Is.EqualTo(new SandboxPoolOptions { MaximumSize = 16, WaitTimeout = TimeSpan.FromSeconds(10) }));
        Assert.That(services.GetRequiredService<IOptions<HyperlightOptions>>().Value.GuestThreads.MaximumCount, Is.EqualTo(4));
    }

    [Test]
    public void The_csharp_fragment_is_in_the_sample() => Assert.That(
        File.ReadAllText(Path.Combine(Repository.Root, "samples", "HelloAspNet", "Program.cs")), Does.Contain(Fragment("csharp").Trim().TrimEnd(';')));

    [Test]
    public void The_message_is_what_the_start_of_an_application_says()
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("Hyperlight:Configuration:HeapSize", (string?)"1 MB")])
            .Build();
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(configuration.GetSection("Hyperlight"))
            .Services.BuildServiceProvider();

        Assert.That(
            () => services.GetRequiredService<IOptions<HyperlightOptions>>().Value,
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(Fragment("text").Trim()));
    }

    [Test]
    public void The_methods_and_keys_of_the_tables_exist()
    {
        string[] rows = [.. Page.Split('\n').Where(line => line.StartsWith('|'))];
        string[] methods = [.. rows.SelectMany(row => Regex.Matches(row, @"`[^`]*\.(\w+)(<\w+>)?\(")).Select(m => m.Groups[1].Value)];
        string[] keys = [.. rows.Select(row => Regex.Match(row, @"\| `""?(\w+)""?(: ""\w+"")?` \|$")).Where(m => m.Success).Select(m => m.Groups[1].Value).Distinct()];

        Type[] types = [typeof(SandboxBuilder), typeof(HyperlightBuilderExtensions), typeof(HyperlightOptions)];
        Assert.That(methods, Has.Length.GreaterThan(8));
        Assert.That(methods.Where(name => !types.Any(type => type.GetMethods().Any(m => m.Name == name))), Is.Empty);
        Assert.That(keys, Has.Length.EqualTo(3));
        Assert.That(keys, Is.SubsetOf(HyperlightSettings.All.Select(s => s.Key)));
    }

    /// <summary>The configuration of a JSON text.</summary>
    internal static IConfigurationRoot Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return new ConfigurationBuilder().AddInMemoryCollection(Flatten("", document.RootElement)).Build();
    }

    private static string Fragment(string language) => Fragments(language)[0];

    private static string[] Fragments(string language) =>
        [.. Regex.Matches(Page, $"```{language}\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value)];

    private static IEnumerable<KeyValuePair<string, string?>> Flatten(string path, JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Flatten($"{path}:{p.Name}".Trim(':'), p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany((item, index) => Flatten($"{path}:{index}", item)),
        _ => [KeyValuePair.Create(path, (string?)element.ToString())],
    };
}
