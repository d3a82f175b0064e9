using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Documentation;

/// <summary>docs/aspnet.md describes the sample HelloAspNet, whose C# FragmentTests compares.</summary>
[TestFixture]
internal sealed class AspNetPageTests
{
    private static readonly MarkdownPage Page = new("docs/aspnet.md");

    private static readonly string Sample = Path.Combine(Repository.Root, "samples", "HelloAspNet");

    [Test]
    public void The_json_fragment_is_the_configuration_of_the_sample() => Assert.That(
        JsonNode.DeepEquals(
            JsonNode.Parse(Page.Fragments.Single(f => f.Language == "json").Text),
            JsonNode.Parse(File.ReadAllText(Path.Combine(Sample, "appsettings.json")))),
        Is.True);

    [Test]
    public void The_xml_fragment_copies_the_guest_as_the_project_of_the_sample_does()
    {
        XElement shown = XElement.Parse(Page.Fragments.Single(f => f.Language == "xml").Text).Elements("Content").Single();
        XElement sample = XDocument.Load(Path.Combine(Sample, "HelloAspNet.csproj")).Descendants("Content").Single();

        // The guest of the sample is in another directory.
        sample.SetAttributeValue("Include", sample.Attribute("Link")!.Value);
        sample.SetAttributeValue("Link", null);
        Assert.That(XNode.DeepEquals(shown, sample), Is.True);
    }

    [Test]
    public void The_configuration_of_the_sample_is_valid()
    {
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight(ConfigurationPageTests.Read(File.ReadAllText(Path.Combine(Sample, "appsettings.json"))).GetSection("Hyperlight"))
            .Services.PostConfigure<SandboxTemplateOptions>(
                "hello", o => o.Guest = Path.Combine(AppContext.BaseDirectory, "guests", Path.GetFileName(o.Guest!)))
            .BuildServiceProvider();

        services.GetRequiredService<IStartupValidator>().Validate();
    }

    [Test]
    public void Every_setting_that_the_page_names_exists()
    {
        string[] known = [.. new[] { typeof(SandboxConfiguration), typeof(SandboxPoolOptions), typeof(SandboxTemplateOptions) }
            .SelectMany(type => type.GetProperties()).Select(property => property.Name)];
        string[] named = [.. Page.Rows.SkipWhile(row => row[0] != "limit").Skip(1).TakeWhile(row => row[0] != "status")
            .SelectMany(row => System.Text.RegularExpressions.Regex.Matches(row[1], "`(\\w+)`")).Select(m => m.Groups[1].Value)
            .Where(name => name != "CallAsync").Distinct()];

        Assert.That(named, Has.Length.GreaterThan(8));
        Assert.That(named, Is.SubsetOf(known));
    }
}
