using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Programs;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Programs;

/// <summary>Which checkpoints have the same tag.</summary>
[TestFixture]
internal sealed class CheckpointTagTests
{
    private static readonly ProgramImageFile Image = new("/image", "digest", 1, 1, false, []);

    private static readonly ProgramTemplate Template = new()
    {
        Image = ProgramImage.FromBytes([1], "tool"),
        Checkpoint = ProgramCheckpoint.Ready,
        TrialInput = ProgramInput.Empty,
    };

    [Test]
    public void It_has_nothing_of_chance_and_of_limits_of_runs()
    {
        ProgramTemplate other = Template with
        {
            Limits = new ProgramLimits { Time = TimeSpan.FromSeconds(3), Output = 5 },
            CheckpointDirectory = "somewhere",
        };

        string[] tags = [.. Enumerable.Repeat(Template, 2).Append(other).Select(static template => Tag(template))];

        Assert.That(tags, Is.All.EqualTo(tags[0]));
        Assert.That(
            Tag(Template with { TrialInput = null, Limits = new ProgramLimits { SystemCalls = 5 } }), Is.EqualTo(Tag(Template with { TrialInput = null })));
    }

    [Test]
    public void A_template_with_anything_else_has_another()
    {
        ProgramTool tool = Tool("tool");
        ProgramTemplate[] templates =
        [
            Template,
            Template with { TrialInput = null },
            Template with { Checkpoint = ProgramCheckpoint.EntryPoint },
            Template with { Seed = 1 },
            Template with { Seed = 2 },
            Template with { Seed = 2, StartTime = DateTimeOffset.UnixEpoch },
            Template with { Limits = new ProgramLimits { Memory = ProgramLimits.MinimumMemory } },
            Template with { Tools = [tool] },
            Template with { Tools = [tool, Tool("other")] },
            Template with { Network = new ProgramNetwork() },
            Template with { Network = new ProgramNetwork { AllowedHosts = ["example.com:80"] } },
            With(new ProgramInput { Tools = [tool] }),
            With(new ProgramInput { Network = new ProgramNetwork { AllowedHosts = ["example.com:80"] } }),
            With(new ProgramInput { Network = new ProgramNetwork { AllowedHosts = ["example.com:81"] } }),
            With(new ProgramInput { Arguments = ["a"] }),
            With(new ProgramInput { StandardInput = "a"u8.ToArray() }),
            With(new ProgramInput { Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/a"] = "/b"u8.ToArray() } }),
            With(new ProgramInput { OutputDirectories = ["/a", "/b"] }),
        ];

        Assert.That(templates.Select(static template => Tag(template)), Is.Unique);
    }

    [Test]
    public void Directories_of_the_host_are_part_of_it()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("Programs can use directories of the host on Linux alone.");
        }

        var directory = new ProgramDirectory("/tmp");
        ProgramTemplate[] templates =
        [
            Template,
            With("/a", directory),
            With("/b", directory),
            With("/a", new ProgramDirectory("/usr")),
            With("/a", directory with { IsWritable = true }),
            With("/a", directory with { MaximumBytes = 1 }),
            With("/a", directory with { MaximumFiles = 1 }),
        ];

        Assert.That(templates.Select(static template => Tag(template)), Is.Unique);
        Assert.That(Tag(With("/a", new ProgramDirectory("/usr/../tmp"))), Is.EqualTo(Tag(With("/a", directory))));

        static ProgramTemplate With(string path, ProgramDirectory directory) =>
            Template with { Directories = new Dictionary<string, ProgramDirectory> { [path] = directory } };
    }

    [Test]
    public void A_machine_that_programs_find_to_be_another_has_another()
    {
        SandboxBuilder[] builders =
        [
            On(new EmulatorHypervisor()),
            On(new EmulatorHypervisor(new EmulatorOptions { RandomSeed = 1 })),
            On(new EmulatorHypervisor(new EmulatorOptions { RandomSeed = 2 })),
            new SandboxBuilder().UseEmulator(3),
            On(new EmulatorHypervisor()).WithHostFunction("Own", static () => 1),
            On(new EmulatorHypervisor()).WithHostFunction("Own", static () => 1L),
            On(new OtherProcessor("one")),
            On(new OtherProcessor("two")),
        ];

        Assert.That(builders.Select(static builder => Tag(Template, builder)), Is.Unique);
    }

    [Test]
    public void The_processor_of_the_host_is_not_that_of_the_emulator() =>
        Assert.That(new EmulatorHypervisor().GuestProcessor, Is.Empty);

    private static ProgramTool Tool(string name) => ProgramTool.Create(name, static arguments => arguments);

    private static ProgramTemplate With(ProgramInput trial) => Template with { TrialInput = trial };

    private static SandboxBuilder On(IHypervisor hypervisor) => new SandboxBuilder().WithHypervisor(hypervisor);

    private static string Tag(ProgramTemplate template) => Tag(template, On(new EmulatorHypervisor()));

    private static string Tag(ProgramTemplate template, SandboxBuilder builder)
    {
        using MultiUseSandbox sandbox = builder.WithGuest(GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "guests", "hello.elf"))).Build();
        return CheckpointTag.Of(template, Image, sandbox);
    }

    private sealed class OtherProcessor(string name) : ForwardingHypervisor(new EmulatorHypervisor())
    {
        public override string GuestProcessor => name;
    }
}
