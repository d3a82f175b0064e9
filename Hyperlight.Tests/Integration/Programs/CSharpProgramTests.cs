using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>C# programs that were published as native executables do the same in a micro VM as on Linux.</summary>
internal sealed class CSharpProgramTests(TestTarget target) : ProgramTest(target)
{
    private const string Program = "CSharpProgram";

    [Test]
    public async Task The_first_line_is_printed() => await Compare("", "hello");

    [TestCase("input", "one", "two words")]
    [TestCase("linq")]
    [TestCase("text")]
    [TestCase("regex")]
    [TestCase("json")]
    [TestCase("files")]
    [TestCase("tasks")]
    [TestCase("timers")]
    [TestCase("signals")]
    [TestCase("collector")]
    [TestCase("exceptions")]
    [TestCase("unhandled")]
    [TestCase("null-reference")]
    [TestCase("stack-overflow")]
    [TestCase("fail-fast")]
    [TestCase("child")]
    public async Task Programs_do_what_they_do_on_linux(params string[] arguments)
    {
        PublishedProgram.RequireFastExecution(Target);
        if (IsEmulatingKvm && arguments is ["child"])
        {
            Assert.Ignore("On a KVM without hardware virtualization, programs use AVX and the kernel cannot save its registers, which fails now and then: docs/programs.md.");
        }

        await Compare("first line\nsecond line\n", arguments);
    }

    [Test]
    public async Task A_program_without_memory_gets_an_exception()
    {
        RequireFastKernel();
        PublishedProgram.RequireFastExecution(Target);
        string path = PublishedProgram.PathOf(Program);

        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions), limits: new ProgramLimits { Time = TimeSpan.FromMinutes(5) }), "", "out-of-memory");

        Assert.That(result.StandardOutput, Is.EqualTo("out of memory after several blocks\n"));
        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 5)));
    }

    private async Task Compare(string input, params string[] arguments)
    {
        NativeProgram.Require();
        string path = PublishedProgram.PathOf(Program);
        (int exitCode, string output, string error) = NativeProgram.Run(path, input, arguments);

        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions)), input, arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }
}
