using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program has the same output and the same exit status in a micro VM as on Linux.</summary>
internal sealed class NativeComparisonTests(TestTarget target) : ProgramTest(target)
{
    private static readonly string[] SameEverywhere =
    [
        "hello", "exit 0", "exit 255", "exit 256", "arguments one two", "vector", "echo", "floating", "memory", "heap", "pointers",
        "errors", "blocked", "kill 9", "kill 15", "kill 17", "kill 34",
        "null", "null-call", "kernel-read", "kernel-write", "kernel-low", "kernel-jump", "not-canonical", "code-write", "stack-execute",
        "stack-pointer", "stack-pointer-call", "undefined", "divide", "float-divide", "breakpoint", "step", "halt", "port",
        "control-register", "model-specific-register", "interrupt", "nested-task", "direction",
    ];

    private ProgramRunner _fixed = null!;
    private ProgramRunner _positionIndependent = null!;

    [OneTimeSetUp]
    public void CreateRunners()
    {
        _fixed = Create(Fixed);
        _positionIndependent = Create(PositionIndependent);
    }

    [Test]
    public async Task A_program_writes_and_ends_as_on_Linux(
        [ValueSource(nameof(SameEverywhere))] string command, [Values(Fixed, PositionIndependent)] string program)
    {
        NativeProgram.Require();
        string[] arguments = command.Split(' ');
        string input = string.Concat(Enumerable.Range(0, 5000).Select(static i => $"line {i}\n"));

        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(program), input, arguments);
        ProgramResult result = await Run(program == Fixed ? _fixed : _positionIndependent, input, arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls.Select(static call => call.Name), command == "errors" ? Is.EqualTo(["unknown"]) : Is.Empty);
    }

    [Test]
    public async Task A_program_of_the_C_library_writes_and_ends_as_on_Linux()
    {
        NativeProgram.Require();
        string path = StaticProgram.Build();
        string input = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"{i} {i * 0.37}\n"));

        (int exitCode, string output, string error) = NativeProgram.Run(path, input, "one", "two");
        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions)), input, "one", "two");

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }
}
