using Hyperlight.Programs;
using Hyperlight.Tests.Documentation;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Interpreters of this machine that are at a checkpoint, by the helpers of the documentation.</summary>
internal sealed class CheckpointedInterpreterTests(TestTarget target) : ProgramTest(target)
{
    private const int MostExits = 200;

    private static readonly Dictionary<string, string> Variables = new() { ["FACTOR"] = "3" };

    [Test]
    public async Task Python_evaluates_an_expression()
    {
        RequireFastExecution();
        string script = Helper("python") + "\n" +
            """
            import os, random
            arguments, variables = wait_for_run()
            random.seed()
            print(eval(arguments[0]) * int(variables["FACTOR"]), random.random(), flush=True)
            os._exit(0)
            """;

        await Evaluate("/usr/bin/python3", ["/usr/lib/python3.11"], ["-I", "-S"], script);
    }

    [Test]
    public async Task The_generator_of_OpenSSL_is_the_same_in_all_runs_until_it_gets_random_bytes()
    {
        RequireFastExecution();
        const string Modules = "/usr/lib/python3.11";
        string script = Helper("python") + "\n" +
            """
            import os, ssl
            ssl.RAND_bytes(8)
            arguments, variables = wait_for_run()
            if arguments: ssl.RAND_add(os.urandom(32), 32)
            print(ssl.RAND_bytes(16).hex(), flush=True)
            os._exit(0)
            """;
        ProgramImage image = InstalledProgram.Image("/usr/bin/python3", ImageOptions, Modules);
        Dictionary<string, ProgramFile> files = InstalledProgram.Libraries(Directory.GetFiles(Modules + "/lib-dynload", "_ssl.*"))
            .Distinct().ToDictionary(static file => file, ProgramFile.FromPath);
        files.Add("/app/script", ProgramFile.FromText(script));
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = image.WithFiles(files),
            Command = ["/usr/bin/python3", "-I", "-S", "/app/script"],
            Checkpoint = ProgramCheckpoint.Ready,
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
        });

        string[] same = [(await runner.RunAsync(ProgramInput.Empty)).StandardOutput, (await runner.RunAsync(ProgramInput.Empty)).StandardOutput];
        string[] others = [(await Run(runner, "", "add")).StandardOutput, (await Run(runner, "", "add")).StandardOutput];

        Assert.That(same[0], Has.Length.EqualTo(33));
        Assert.That(same[1], Is.EqualTo(same[0]));
        Assert.That(others.Append(same[0]), Is.Unique);
    }

    [Test]
    public async Task Lua_evaluates_an_expression()
    {
        RequireFastTranslation();
        string script = Helper("lua") + "\n" +
            """
            local arguments, variables = wait_for_run()
            math.randomseed(string.unpack("I8", assert(io.open("/dev/urandom", "rb")):read(8)))
            print(load("return " .. arguments[1])() * variables.FACTOR, math.random())
            """;

        await Evaluate("/usr/bin/lua5.4", [], [], script);
    }

    [Test]
    public async Task An_interpreter_starts_at_its_entry_point()
    {
        RequireFastTranslation();
        ProgramImage image = InstalledProgram.Image("/usr/bin/lua5.4", ImageOptions);
        ProgramRunner runner = Create(image, ["/usr/bin/lua5.4", "-e"], checkpoint: ProgramCheckpoint.EntryPoint);

        ProgramResult first = await Run(runner, "", "print(1 + 1, os.getenv('NAME'))");
        ProgramResult second = await runner.RunAsync(new ProgramInput
        {
            Arguments = ["print(2 + 2, os.getenv('NAME'))"],
            Environment = new Dictionary<string, string> { ["NAME"] = "other" },
        });

        Assert.That((first.StandardOutput, second.StandardOutput), Is.EqualTo(("2\tvalue\n", "4\tother\n")));
    }

    private static string Helper(string language) =>
        MarkdownPage.All.Single(static page => page.Path == "docs/programs.md").Fragments.Single(fragment => fragment.Language == language).Text;

    private async Task Evaluate(string path, string[] others, string[] options, string script)
    {
        var observed = new ObservedHypervisor(Target.Hypervisor);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = InstalledProgram.Image(path, ImageOptions, others)
                .WithFiles(new Dictionary<string, ProgramFile> { ["/app/script"] = ProgramFile.FromText(script) }),
            Command = [path, .. options, "/app/script"],
            Checkpoint = ProgramCheckpoint.Ready,
            Limits = WithTime(new ProgramLimits()),
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(observed),
        });
        int before = observed.Machine.ExitCount;

        ProgramResult first = await runner.RunAsync(new ProgramInput { Arguments = ["1 + 2"], Environment = Variables });
        int exits = observed.Machine.ExitCount - before;
        ProgramResult second = await runner.RunAsync(new ProgramInput { Arguments = ["20 + 2"], Environment = Variables });

        TestContext.Out.WriteLine($"{exits} exits");
        Assert.That((first.StandardError, second.StandardError), Is.EqualTo(("", "")));
        Assert.That(first.StandardOutput, Does.StartWith("9"));
        Assert.That(second.StandardOutput, Does.StartWith("66"));
        Assert.That(Random(first), Is.Not.EqualTo(Random(second)));
        Assert.That(exits, Is.LessThanOrEqualTo(MostExits));
    }

    private static string Random(ProgramResult result) => result.StandardOutput.Split([' ', '\t'])[^1];
}
