using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>What a program starts with.</summary>
[TestFixture]
internal sealed class ProgramRequestTests
{
    private const int NumbersOffset = 40;
    private const int HeaderSize = 88;

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
    public void A_run_has_environment_variables_besides_those_of_the_template()
    {
        ProgramTemplate template = Template with { Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" } };
        var input = new ProgramInput { Arguments = ["x"], Environment = new Dictionary<string, string> { ["C"] = "4", ["A"] = "3" } };

        // Those of the run follow once more, for /dev/hyperlight/ready.
        Assert.That(Strings(template, input), Is.EqualTo("/tool\0/\0/tool\0x\0A=3\0B=2\0C=4\0C=4\0A=3\0"));
        Assert.That(Header(template, input), Is.EqualTo(new[] { 2, 3, 0, 1, 2, 256, 32, 0, -1, -1, -1, -1 }));
        Assert.That(Header(template with { Checkpoint = ProgramCheckpoint.Ready }, input)[2], Is.EqualTo(2));
    }

    [Test]
    public void Limits_of_threads_and_processes_are_passed()
    {
        ProgramTemplate template = Template with { Limits = new ProgramLimits { Threads = 3, Processes = 2 } };

        Assert.That(Header(template, ProgramInput.Empty), Is.EqualTo(new[] { 1, 0, 0, 0, 0, 3, 2, 0, -1, -1, -1, -1 }));
    }

    [Test]
    public void A_limit_of_system_calls_is_passed()
    {
        ProgramTemplate template = Template with { Limits = new ProgramLimits { SystemCalls = 0x2_0000_0007 } };

        Assert.That(Header(template, ProgramInput.Empty)[^4..^2], Is.EqualTo(new[] { 7, 2 }));
    }

    [Test]
    public void A_program_that_starts_at_its_entry_point_has_the_variables_of_the_template()
    {
        ProgramTemplate template = Template with
        {
            Environment = new Dictionary<string, string> { ["A"] = "1" },
            Checkpoint = ProgramCheckpoint.EntryPoint,
        };

        Assert.That(Strings(template, Variable("A")), Is.EqualTo("/tool\0/\0/tool\0A=3\0A=3\0"));
        Assert.That(() => Strings(template, Variable("B")), Throws.ArgumentException.With.Message.Contains("'B' is not one of the template's"));
        Assert.That(() => Strings(template, Variable("A=B")), Throws.ArgumentException);
    }

    [Test]
    public void A_checkpoint_is_one_of_the_kinds() =>
        Assert.That(() => Template with { Checkpoint = (ProgramCheckpoint)3 }, Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Each_run_has_other_random_bytes()
    {
        byte[] first = ProgramRequest.Create(Template, ProgramInput.Empty);
        byte[] second = ProgramRequest.Create(Template, ProgramInput.Empty);

        Assert.That(second, Is.Not.EqualTo(first));
    }

    [Test]
    public void With_a_seed_each_run_has_the_same_random_bytes()
    {
        ProgramTemplate template = Template with { Seed = 1 };
        byte[] run = ProgramRequest.Create(template, ProgramInput.Empty);

        Assert.That(ProgramRequest.Create(template, ProgramInput.Empty), Is.EqualTo(run));
        Assert.That(ProgramRequest.Create(template with { Seed = 2 }, ProgramInput.Empty with { Seed = 1 }), Is.EqualTo(run));
        Assert.That(ProgramRequest.Create(template with { Seed = 1UL << 63 | 1 }, ProgramInput.Empty), Is.Not.EqualTo(run));
        Assert.That(Seed(ProgramRequest.CreateForWarmUp(template)), Is.Not.EqualTo(Seed(run)));
        Assert.That(() => ProgramRequest.Create(Template, ProgramInput.Empty with { Seed = 1 }), Throws.ArgumentException);
    }

    [Test]
    public void A_start_time_is_one_that_the_clock_has_room_for()
    {
        var last = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.That(WallClock(Template), Is.EqualTo(-1), "the clocks of the host");
        Assert.That(WallClock(Template with { Seed = 1 }), Is.EqualTo(1_767_225_600_000_000_000));
        Assert.That(WallClock(Template with { Seed = 1, StartTime = DateTimeOffset.UnixEpoch }), Is.Zero);
        Assert.That(WallClock(Template with { Seed = 1, StartTime = last }), Is.EqualTo(4_102_444_800_000_000_000));
        Assert.That(() => Template with { StartTime = last.AddTicks(1) }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Template with { StartTime = DateTimeOffset.UnixEpoch.AddTicks(-1) }, Throws.TypeOf<ArgumentOutOfRangeException>());
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
        Assert.That(() => new ProgramLimits { Threads = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Threads = ProgramLimits.MaximumThreads + 1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Processes = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Processes = ProgramLimits.MaximumProcesses + 1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { WarmUpTime = TimeSpan.Zero }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { WarmUpTime = TimeSpan.FromDays(50) }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static byte[] Seed(byte[] request) => request[sizeof(ulong)..NumbersOffset];

    private static ProgramInput Variable(string name) => new() { Environment = new Dictionary<string, string> { [name] = "3" } };

    private static string Strings(ProgramTemplate template, params string[] arguments) =>
        Strings(template, new ProgramInput { Arguments = arguments });

    private static string Strings(ProgramTemplate template, ProgramInput input) =>
        Encoding.UTF8.GetString(ProgramRequest.Create(template, input).AsSpan(HeaderSize));

    private static long WallClock(ProgramTemplate template) =>
        BinaryPrimitives.ReadInt64LittleEndian(ProgramRequest.Create(template, ProgramInput.Empty).AsSpan(HeaderSize - sizeof(long)));

    private static int[] Header(ProgramTemplate template, ProgramInput input) =>
        MemoryMarshal.Cast<byte, int>(ProgramRequest.Create(template, input).AsSpan(NumbersOffset, HeaderSize - NumbersOffset)).ToArray();
}
