using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program has the same output and the same exit status in a micro VM as on Linux.</summary>
internal sealed class NativeComparisonTests(TestTarget target) : ProgramTest(target)
{
    internal static readonly string[] SameEverywhere =
    [
        "hello", "exit 0", "exit 255", "exit 256", "arguments one two", "vector", "echo", "floating", "memory", "heap", "pointers",
        "errors", "blocked", "kill 9", "kill 15", "kill 17", "kill 34",
        "null", "null-call", "kernel-read", "kernel-write", "kernel-low", "kernel-jump", "not-canonical", "code-write", "stack-execute",
        "stack-pointer", "stack-pointer-call", "undefined", "divide", "float-divide", "breakpoint", "step", "halt", "port",
        "control-register", "model-specific-register", "interrupt", "nested-task", "direction",
        "threads", "thread-vectors", "futex", "requeue", "robust", "robust-unlock", "private-futex", "interrupted-long-wait", "clone-errors", "exit-of-thread", "exit-of-main",
        "handler", "handler-registers", "handler-nesting", "fault-handlers", "alternate-stack", "alternate-stack-overflow",
        "signal-masks", "signal-waits", "signal-actions", "signal-sleep", "interval-timers", "changed-context",
        "return-beyond", "return-to-kernel", "return-nowhere", "return-stack", "return-mxcsr", "return-vectors",
        "return-kernel-vectors", "return-without-segments", "return-kernel-segments", "return-without-frame",
        "handler-without-stack", "handler-without-restorer", "handler-in-kernel", "fault-handler-in-kernel",
        "pipes", "broken-pipe", "blocking-pipe", "polls", "events", "epolls", "sockets", "socket-ends", "restarts",
        "awaited-signals", "children-with-handlers", "passed-on-signals",
        "forks", "process-ends", "process-timers", "unshared-descriptors", "executes", "execute-in-thread", "shared-memory", "wait-options", "groups",
        "write-only-memory", "heap-beside-mapping", "requeue-same-word", "signal-of-another-thread", "kept-links", "sparse-file",
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
        if (command == "return-mxcsr" && QemuProcessor.Runs(Target.Hypervisor))
        {
            Assert.Ignore("This processor, an emulated one, loads reserved bits of MXCSR without an exception, so that the native run has another result.");
        }

        string[] arguments = command.Split(' ');
        string input = string.Concat(Enumerable.Range(0, 5000).Select(static i => $"line {i}\n"));

        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(program), input, arguments);
        ProgramResult result = await Run(program == Fixed ? _fixed : _positionIndependent, input, arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls.Select(static call => call.Name), Is.EqualTo(Missing(command)));
    }

    [Test]
    public async Task A_program_of_the_C_library_writes_and_ends_as_on_Linux()
    {
        NativeProgram.Require();
        string path = StaticProgram.Build("sorting", StaticProgram.Sorting);
        string input = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"{i} {i * 0.37}\n"));

        (int exitCode, string output, string error) = NativeProgram.Run(path, input, "one", "two");
        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions)), input, "one", "two");

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }

    [Test]
    public async Task A_program_with_POSIX_threads_and_signals_writes_and_ends_as_on_Linux()
    {
        NativeProgram.Require();
        string path = StaticProgram.Build("threads", ThreadsProgram.Source);

        (int exitCode, string output, string error) = NativeProgram.Run(path, "");
        ProgramResult result = await Run(Create(ProgramImage.FromExecutable(path, ImageOptions)), "");

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, exitCode)));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }

    /// <summary>The calls that a command makes and that Linux does not have, or does not have with these arguments.</summary>
    private static string[] Missing(string command) => command switch
    {
        "errors" => ["unknown"],
        "futex" => ["futex"],
        _ => [],
    };
}
