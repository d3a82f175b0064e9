using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Dynamically linked programs of this machine have the same output in a micro VM.</summary>
internal sealed class DynamicProgramTests(TestTarget target) : ProgramTest(target)
{
    [Test]
    public async Task Lua() => await Compare(
        "/usr/bin/lua5.4", [], "-e", "local t = {} for i = 1, 1000 do t[i] = i * i end print(#t, t[1000], string.format('%.3f', math.pi))");

    [Test]
    public async Task Sqlite()
    {
        RequireFastTranslation();
        await Compare(
            "/usr/bin/sqlite3", [], "-init", "/dev/null", "", "create table t(a, b); insert into t values (1, 'one'), (2, 'two'); select sum(a), group_concat(b) from t;");
    }

    [Test]
    public async Task Perl()
    {
        RequireFastTranslation();
        await Compare(
            "/usr/bin/perl", [], "-e",
            "my %h = map { $_ => $_ ** 2 } 1 .. 10; my $n = \"/tmp/hyperlight-$$\"; open(my $f, '>', $n) or die $!; print $f join(',', map { $h{$_} } sort { $a <=> $b } keys %h); " +
            "close $f; open($f, $n); print <$f>, \"\\n\"; unlink $n;");
    }

    [Test]
    public async Task Python()
    {
        RequireFastExecution();
        await Compare(
            "/usr/bin/python3", ["/usr/lib/python3.11"], "-I", "-S", "-c", "import json, re; print(json.dumps({'a': 1}), re.findall('b+', 'abbcb'), sum(range(1000)))");
    }

    [Test]
    public async Task A_shell_runs_pipelines() => await Compare(
        "/bin/sh", [], "-c", "(echo one; echo two) | while read line; do echo \"got $line\"; done; (exit 3); echo $?; (kill -9 $$) & wait; echo not reached");

    [Test]
    public async Task Python_has_threads_and_subprocesses()
    {
        RequireFastExecution();
        await Compare(
            "/usr/bin/python3", ["/usr/lib/python3.11", "/bin/sh"], "-I", "-S", "-c",
            """
            import subprocess, threading
            results = []
            threads = [threading.Thread(target=lambda i=i: results.append(i * i)) for i in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(sum(results))
            print(subprocess.run(["/bin/sh", "-c", "echo hi | { read line; echo got $line; }; exit 5"], capture_output=True))
            """);
    }

    [Test]
    public async Task A_script_is_run_by_its_interpreter()
    {
        ProgramImage image = InstalledProgram.Image("/usr/bin/lua5.4", ImageOptions).WithFiles(new Dictionary<string, ProgramFile>
        {
            ["/app/script"] = ProgramFile.FromText("#!/usr/bin/lua5.4 -\nprint(arg[0], arg[1])\n", isExecutable: true),
        });

        ProgramResult result = await Run(Create(image, ["/app/script"]), "print('standard input')", "one");

        // The argument after the interpreter is one of the interpreter: here, to read its standard input.
        Assert.That(result.StandardOutput, Is.EqualTo("standard input\n"));
        Assert.That(result.ExitCode, Is.Zero);
    }

    private async Task Compare(string path, string[] others, params string[] arguments)
    {
        ProgramImage image = InstalledProgram.Image(path, ImageOptions, others);
        (int exitCode, string output, string error) = NativeProgram.Run(path, "", arguments);

        ProgramResult result = await Run(Create(image, [path]), "", arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        TestContext.Out.WriteLine($"Unsupported: {string.Join(", ", result.UnsupportedSystemCalls)}");
    }
}
