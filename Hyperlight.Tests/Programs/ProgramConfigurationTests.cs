using Hyperlight.Programs;
using Hyperlight.Programs.Configuration;
using Hyperlight.Tests.Documentation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Programs;

/// <summary>Options of programs from configuration, and what is said about those that are wrong.</summary>
[TestFixture]
internal sealed class ProgramConfigurationTests
{
    private const string Section = "Hyperlight:Programs:python:";

    private static readonly ProgramImage Image = ProgramImage.FromExecutable(Path.Combine(AppContext.BaseDirectory, "guests", "program.elf"));

    [Test]
    public void Every_property_has_a_key_unless_it_is_the_applications()
    {
        string[] code = [nameof(ProgramOptions.Image), nameof(ProgramOptions.Environment), nameof(ProgramOptions.Directories), nameof(ProgramOptions.Tools), nameof(ProgramOptions.Network), nameof(ProgramOptions.TrialInput)];

        Assert.That(ProgramSettings.All.Select(static s => s.Key), Is.EquivalentTo(Names(typeof(ProgramOptions)).Except(code)));
        Assert.That(LimitSettings.All.Select(static s => s.Key), Is.EquivalentTo(Names(typeof(ProgramLimits))));
    }

    [Test]
    public void Every_key_is_read_and_replaces_what_code_sets()
    {
        ProgramOptions options = Read(
            static options =>
            {
                options.Command = ["/bin/false"];
                options.Pool = new SandboxPoolOptions { MaximumSize = 9, QueueLength = 4 };
                options.Limits = new ProgramLimits { Processes = 3 };
            },
            (Section + "Executable", "/bin/true"),
            (Section + "WorkingDirectory", "/app"),
            (Section + "Command:0", "/bin/true"),
            (Section + "Command:1", "-x"),
            (Section + "Checkpoint", "ready"),
            (Section + "Seed", "18446744073709551615"),
            (Section + "CheckpointDirectory", "/var/cache/checkpoints"),
            (Section + "StartTime", "2030-01-02T03:04:05+01:00"),
            (Section + "Limits:Memory", "64 MiB"),
            (Section + "Limits:Output", "1 KiB"),
            (Section + "Limits:OutputFileBytes", "2 KiB"),
            (Section + "Limits:OutputFiles", "5"),
            (Section + "Limits:Threads", "6"),
            (Section + "Limits:Time", "00:00:07"),
            (Section + "Limits:CpuTime", "00:00:02"),
            (Section + "Limits:Instructions", "8"),
            (Section + "Limits:SystemCalls", "0"),
            (Section + "Limits:WarmUpTime", "Infinite"),
            (Section + "Pool:MaximumSize", "2"));

        Assert.That((options.Executable, options.WorkingDirectory, options.Checkpoint), Is.EqualTo(("/bin/true", "/app", ProgramCheckpoint.Ready)));
        Assert.That(options.CheckpointDirectory, Is.EqualTo("/var/cache/checkpoints"));
        Assert.That((options.Seed, options.StartTime), Is.EqualTo(((ulong?)ulong.MaxValue, (DateTimeOffset?)new DateTimeOffset(2030, 1, 2, 2, 4, 5, TimeSpan.Zero))));
        Assert.That(options.Command, Is.EqualTo(new[] { "/bin/true", "-x" }));
        Assert.That(options.Pool, Is.EqualTo(new SandboxPoolOptions { MaximumSize = 2, QueueLength = 4 }));
        Assert.That(options.Limits, Is.EqualTo(new ProgramLimits
        {
            Memory = 64 << 20,
            Output = 1024,
            OutputFileBytes = 2048,
            OutputFiles = 5,
            Threads = 6,
            Processes = 3,
            Time = TimeSpan.FromSeconds(7),
            CpuTime = TimeSpan.FromSeconds(2),
            Instructions = 8,
            SystemCalls = 0,
            WarmUpTime = Timeout.InfiniteTimeSpan,
        }));
    }

    [TestCase("Limits:Memory", "1 MiB", "Hyperlight:Programs:python:Limits:Memory is '1 MiB'. Set it to a size from 2 MiB to 8 GiB, such as '256 MiB'.")]
    [TestCase("Limits:Time", "7", "Hyperlight:Programs:python:Limits:Time is '7'. Set it to 'Infinite', or hours, minutes and seconds such as '00:00:30'.")]
    [TestCase("Checkpoint", "soon", "Hyperlight:Programs:python:Checkpoint is 'soon'. Set it to one of None, EntryPoint, Ready.")]
    [TestCase("Seed", "-1", "Hyperlight:Programs:python:Seed is '-1'. Set it to a whole number from 0 to 18446744073709551615.")]
    [TestCase("StartTime", "2030", "Hyperlight:Programs:python:StartTime is '2030'. Set it to a time such as '2026-01-01T00:00:00Z'.")]
    [TestCase("StartTime", "2030-01-01T00:00:00Z", "The program 'python': StartTime is set, but the program's clocks are those of the host. Set Seed as well, or remove it.")]
    [TestCase("Pool:MinimumSize", "9", "Hyperlight:Programs:python:Pool:MinimumSize is 9, but MaximumSize is 4. Set it to at most 4.")]
    [TestCase("Pool:Isolation", "KeepStatePerKey", "Hyperlight:Programs:python:Pool:Isolation is KeepStatePerKey, but each run of a program starts from the same state. Set it to RestoreAfterUse or NewSandboxEachTime.")]
    [TestCase("Pool:Isolation", "None", "Hyperlight:Programs:python:Pool:Isolation is None, but each run of a program starts from the same state. Set it to RestoreAfterUse or NewSandboxEachTime.")]
    [TestCase("Pool:Budget:HostCalls", "1", "Hyperlight:Programs:python:Pool:Budget is set, but programs have Limits. Remove it, and set these.")]
    [TestCase("Image", "x", "Hyperlight:Programs:python:Image is not a setting of Hyperlight. Remove it, or use one of: Executable, WorkingDirectory, Command, Checkpoint, CheckpointDirectory, Seed, StartTime, Limits, Pool.")]
    public void What_is_wrong_is_said_when_the_application_starts(string key, string value, string message) => Assert.That(
        () => Read(static options => options.Pool = new SandboxPoolOptions { MaximumSize = 4 }, (Section + key, value)),
        Throws.TypeOf<OptionsValidationException>().With.Property("Failures").EqualTo(new[] { message }));

    [Test]
    public void The_fragment_of_the_documentation_is_a_configuration()
    {
        string fragment = new MarkdownPage("docs/programs.md").Fragments.Single(static fragment => fragment.Language == "json" && fragment.Text.Contains("\"Programs\"", StringComparison.Ordinal)).Text;
        (string, string)[] pairs = [.. ConfigurationPageTests.Read(fragment).AsEnumerable()
            .Where(static pair => pair.Value is not null).Select(static pair => (pair.Key, pair.Value!))];

        ProgramOptions options = Read(static _ => { }, pairs);

        Assert.That((options.Checkpoint, options.Limits.Memory, options.Limits.Time), Is.EqualTo((ProgramCheckpoint.Ready, 256L << 20, TimeSpan.FromSeconds(5))));
        Assert.That(options.Pool, Is.EqualTo(new SandboxPoolOptions { MinimumSize = 2, MaximumSize = 8, QueueLength = 100 }));
    }

    [Test]
    public void A_section_is_not_a_value() => Assert.That(
        () => Read(static _ => { }, ("Hyperlight:Programs:python", "x")),
        Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo("Hyperlight:Programs:python is 'x'. Set it to a section."));

    [Test]
    public void A_section_of_no_program_is_reported() => Assert.That(
        () => Read(static _ => { }, ("Hyperlight:Programs:perl:Executable", "/usr/bin/perl")),
        Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo(
            "Hyperlight:Programs:perl is the section of a program that is not registered. Remove it, or call AddProgram(\"perl\", ...)."));

    [Test]
    public void A_program_has_another_name_than_a_template()
    {
        using ServiceProvider provider = Build(static _ => { }, builder => builder.AddSandbox("Python", static o => o.Guest = Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf")));

        Assert.That(
            () => provider.GetRequiredService<IStartupValidator>().Validate(),
            Throws.TypeOf<OptionsValidationException>().With.Message.EqualTo(
                "The program 'python' has the name of a sandbox template, and their pools could not be told apart. Give it another name."));
    }

    [Test]
    public void Options_that_are_null_are_reported() => Assert.That(
        () => Read(static options => (options.Pool, options.Limits) = (null!, null!)),
        Throws.TypeOf<OptionsValidationException>().With.Property("Failures").EqualTo(
            new[] { "The program 'python': Limits is null. Set it to ProgramLimits.", "The program 'python': Pool is null. Set it to SandboxPoolOptions." }));

    private static IEnumerable<string> Names(Type type) => type.GetProperties().Select(static property => property.Name);

    private static ProgramOptions Read(Action<ProgramOptions> configure, params (string Key, string Value)[] configuration)
    {
        using ServiceProvider provider = Build(configure, static _ => { }, configuration);
        provider.GetRequiredService<IStartupValidator>().Validate();
        return provider.GetRequiredService<IOptionsMonitor<ProgramOptions>>().Get("python");
    }

    private static ServiceProvider Build(
        Action<ProgramOptions> configure, Action<IHyperlightBuilder> add, params (string Key, string Value)[] configuration)
    {
        IConfiguration section = new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Select(static pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            .Build()
            .GetSection("Hyperlight");
        var services = new ServiceCollection();
        IHyperlightBuilder builder = services.AddHyperlight(section).AddProgram("python", options =>
        {
            options.Image = Image;
            configure(options);
        });
        add(builder);
        return services.BuildServiceProvider();
    }
}
