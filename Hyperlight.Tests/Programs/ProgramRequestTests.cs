using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>What a program starts with.</summary>
[TestFixture]
internal sealed class ProgramRequestTests
{
    private const int HeaderSize = 64;

    private static readonly ProgramTemplate Template = new() { Image = ProgramImage.FromBytes([1], "tool") };

    [Test]
    public void The_name_of_the_image_is_the_first_argument_by_default() =>
        Assert.That(Strings(Template, "one", "zwei ä"), Is.EqualTo("/tool\0/\0/tool\0one\0zwei ä\0"));

    [Test]
    public void A_command_and_an_environment_are_passed()
    {
        ProgramTemplate template = Template with
        {
            Command = ["a", "b"],
            WorkingDirectory = "/work",
            Environment = new Dictionary<string, string> { ["PATH"] = "/bin", ["EMPTY"] = "" },
        };

        Assert.That(Strings(template, "c"), Is.EqualTo("/tool\0/work\0a\0b\0c\0PATH=/bin\0EMPTY=\0"));
    }

    [Test]
    public void The_path_of_the_executable_is_stated_or_the_first_argument()
    {
        var files = new Dictionary<string, ProgramFile> { ["/bin/tool"] = ProgramFile.FromText("") };
        ProgramTemplate template = new() { Image = ProgramImage.FromFiles(files), Command = ["/bin/tool", "b"] };

        Assert.That(Strings(template), Is.EqualTo("/bin/tool\0/\0/bin/tool\0b\0"));
        Assert.That(Strings(template with { Executable = "/bin/other" }), Is.EqualTo("/bin/other\0/\0/bin/tool\0b\0"));
        Assert.That(Strings(template with { Command = [], Executable = "/bin/other" }), Is.EqualTo("/bin/other\0/\0/bin/other\0"));
        Assert.That(() => Strings(template with { Command = [] }), Throws.ArgumentException);
        Assert.That(() => Strings(template with { Command = ["tool"] }), Throws.ArgumentException);
        Assert.That(() => Strings(template with { WorkingDirectory = "tmp" }), Throws.ArgumentException);
    }

    [Test]
    public void Each_run_has_other_random_bytes()
    {
        byte[] first = ProgramRequest.Create(Template, ProgramInput.Empty);
        byte[] second = ProgramRequest.Create(Template, ProgramInput.Empty);

        Assert.That(second, Is.Not.EqualTo(first));
    }

    [Test]
    public void A_zero_is_refused() => Assert.That(() => Strings(Template, "a\0b"), Throws.ArgumentException);

    [Test]
    public void A_name_that_is_not_one_of_a_variable_is_refused([Values("", "A=B")] string name)
    {
        ProgramTemplate template = Template with { Environment = new Dictionary<string, string> { [name] = "value" } };

        Assert.That(() => Strings(template), Throws.ArgumentException);
    }

    [Test]
    public void The_size_is_limited()
    {
        Assert.That(() => Strings(Template, new string('a', ProgramRequest.MaximumStrings - 15)), Throws.Nothing);
        Assert.That(() => Strings(Template, new string('a', ProgramRequest.MaximumStrings - 14)), Throws.ArgumentException);
    }

    [Test]
    public void Limits_have_ranges()
    {
        Assert.That(() => new ProgramLimits { Memory = ProgramLimits.MinimumMemory - 1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Memory = ProgramLimits.MaximumMemory + 1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Output = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Time = TimeSpan.Zero }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Time = Timeout.InfiniteTimeSpan }, Throws.Nothing);
    }

    private static string Strings(ProgramTemplate template, params string[] arguments) =>
        Encoding.UTF8.GetString(ProgramRequest.Create(template, new ProgramInput { Arguments = arguments }).AsSpan(HeaderSize));
}
