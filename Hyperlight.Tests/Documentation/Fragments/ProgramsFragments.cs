using System.Globalization;
using System.Text;
using System.Text.Json;
using Hyperlight.Programs;
using Hyperlight.Tests.Programs.Images;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/programs.md that are not in the sample.</summary>
[TestFixture]
internal sealed class ProgramsFragments : FragmentFixture
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "guests", "program.elf");

    [Test]
    public async Task Running_a_program()
    {
        using CacheVariable cache = WritePython();
        File.Copy(Executable, "hello");
        byte[] input = [];
        using var console = new StringWriter();
        Console.SetOut(console);

        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate { Image = ProgramImage.FromExecutable("hello") });
        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["one", "two"], StandardInput = input });
        Console.WriteLine($"{result.ExitCode}: {result.StandardOutput}");

        Assert.That(console.ToString(), Does.Match(@"^\d+: "));
    }

    [Test]
    public async Task Building_an_image()
    {
        using CacheVariable cache = WritePython();
        var progress = new Progress<ProgramImageProgress>();

        ProgramImage image = ProgramImage.FromOciLayout("python")
            .WithFiles(new Dictionary<string, ProgramFile> { ["/app/job.py"] = ProgramFile.FromText("print(1)") });
        ProgramImageFile file = await image.BuildAsync(progress);

        Assert.That(new ReadImage(file.Path).Text("/app/job.py"), Is.EqualTo("print(1)"));
    }

    [Test]
    public async Task Files_of_a_run()
    {
        using CacheVariable cache = WritePython();
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate { Image = ProgramImage.FromExecutable(Executable) });
        byte[] bytes = [1, 2, 3];
        using var console = new StringWriter();
        Console.SetOut(console);

        ProgramResult result = await runner.RunAsync(new ProgramInput
        {
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/data.csv"] = bytes },
            OutputDirectories = ["/in"],
        });
        foreach ((string path, ReadOnlyMemory<byte> content) in result.Files("/in"))
        {
            Console.WriteLine($"{path}: {content.Length} bytes");
        }

        Assert.That(console.ToString(), Is.EqualTo("/in/data.csv: 3 bytes" + Environment.NewLine));
    }

    [Test]
    public void Network()
    {
        using CacheVariable cache = WritePython();

        var template = new ProgramTemplate
        {
            Image = ProgramImage.FromOciLayout("python"),
            Command = ["/usr/local/bin/python3", "/app/client.py"],
            Network = new ProgramNetwork { AllowedHosts = ["api.example.com:443", "10.0.0.5:5432", "[2001:db8::1]:80"] },
        };

        Assert.That(template.Network.AllowedHosts, Has.Count.EqualTo(3));
    }

    [Test]
    public void Directories_of_the_host()
    {
        using CacheVariable cache = WritePython();

        var template = new ProgramTemplate
        {
            Image = ProgramImage.FromOciLayout("python"),
            Command = ["/usr/local/bin/python3", "/data/job.py"],
            Directories = new Dictionary<string, ProgramDirectory>
            {
                ["/data"] = "/srv/jobs",
                ["/results"] = new("/srv/results") { IsWritable = true, MaximumBytes = 100_000_000, MaximumFiles = 1000 },
            },
        };

        Assert.That(template.Directories.Values.Select(static directory => directory.IsWritable), Is.EqualTo(new[] { false, true }));
    }

    [Test]
    public async Task Tools_of_a_run()
    {
        using CacheVariable cache = WritePython();
        static ValueTask<JsonElement> FetchAsync(JsonElement arguments, CancellationToken cancellationToken) => ValueTask.FromResult(arguments);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(Executable),
            Command = ["program", "call", """{"name": "add", "arguments": {"a": 40, "b": 2}}""", """{"name": "fetch"}"""],
        });

        ProgramTool add = ProgramTool.Create("add", NumbersJson.Default.Numbers, NumbersJson.Default.Int32, static numbers => numbers.A + numbers.B);
        ProgramTool fetch = ProgramTool.Create("fetch", async (arguments, cancellationToken) => await FetchAsync(arguments, cancellationToken));
        ProgramResult result = await runner.RunAsync(new ProgramInput { Tools = [add, fetch] });

        Assert.That(result.StandardOutput, Is.EqualTo("{\"result\":42}\n{\"result\":{}}\n"));
    }

    [Test]
    public async Task Streaming()
    {
        using CacheVariable cache = WritePython();
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(Executable),
            Command = ["program", "echo"],
        });
        var requests = new MemoryStream("request"u8.ToArray());
        using var console = new StringWriter();
        Console.SetOut(console);

        await using ProgramRun run = runner.Start(new ProgramInput { StandardInputStream = requests });
        await foreach (ProgramOutput output in run.Output)
        {
            Console.Write(output.Text);
        }

        ProgramResult result = await run.Result;

        Assert.That((console.ToString(), result.ExitCode), Is.EqualTo(("requestdone\nbytes 7\n", 0)));
    }

    [Test]
    public void Registering_a_program()
    {
        using CacheVariable cache = WritePython();
        var services = new ServiceCollection();

        services.AddHyperlight().AddProgram("python", options =>
        {
            options.Image = ProgramImage.FromOciLayout("python");
            options.Command = ["/usr/local/bin/python3", "-S", "/app/job.py"];
        });

        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.That(provider.GetKeyedService<IProgramRunner>("python"), Is.Not.Null);
    }

    [Test]
    public async Task Starting_from_a_checkpoint()
    {
        using CacheVariable cache = WritePython();
        ProgramImage image = ProgramImage.FromFiles(new Dictionary<string, ProgramFile>
        {
            ["/usr/bin/python3"] = ProgramFile.FromBytes(await File.ReadAllBytesAsync(Executable), isExecutable: true),
        });

        // What stands for Python ends before a checkpoint.
        ProgramCheckpointException error = (await Assert.ThrowsAsync<ProgramCheckpointException>(async () =>
        {
            await using ProgramRunner python = await ProgramRunner.CreateAsync(new ProgramTemplate
            {
                Image = image,
                Command = ["/usr/bin/python3", "-S", "/app/evaluate.py"],
                Checkpoint = ProgramCheckpoint.Ready,
            });
            ProgramResult answer = await python.RunAsync(new ProgramInput { Arguments = ["1 + 2"] });
        }))!;

        Assert.That(error.Message, Does.StartWith("'/usr/bin/python3' has not reached its checkpoint (Ready): "));
    }

    [Test]
    public async Task Making_a_trial_run()
    {
        using CacheVariable cache = WritePython();
        ProgramImage image = ProgramImage.FromFiles(new Dictionary<string, ProgramFile>
        {
            ["/usr/bin/python3"] = ProgramFile.FromBytes(await File.ReadAllBytesAsync(Executable), isExecutable: true),
        });

        await Assert.ThrowsAsync<ProgramCheckpointException>(async () =>
        {
            await using ProgramRunner python = await ProgramRunner.CreateAsync(new ProgramTemplate
            {
                Image = image,
                Command = ["/usr/bin/python3", "-S", "/app/evaluate.py"],
                Checkpoint = ProgramCheckpoint.Ready,
                TrialInput = new ProgramInput { Arguments = ["40 + 2"] },
            });
            ProgramResult? trial = python.WarmUp?.Trial;
        });
    }

    [Test]
    public async Task Keeping_a_checkpoint()
    {
        using CacheVariable cache = WritePython();
        ProgramImage image = ProgramImage.FromFiles(new Dictionary<string, ProgramFile>
        {
            ["/usr/bin/python3"] = ProgramFile.FromBytes(await File.ReadAllBytesAsync(Executable), isExecutable: true),
        });

        await Assert.ThrowsAsync<ProgramCheckpointException>(async () =>
        {
            await using ProgramRunner python = await ProgramRunner.CreateAsync(new ProgramTemplate
            {
                Image = image,
                Command = ["/usr/bin/python3", "-S", "/app/evaluate.py"],
                Checkpoint = ProgramCheckpoint.Ready,
                CheckpointDirectory = "checkpoints",
            });
        });
    }

    [Test]
    public async Task Repeating_a_run()
    {
        ProgramImage image = ProgramImage.FromExecutable(Executable);

        await using ProgramRunner runner = await ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = image,
            Seed = 42,
            StartTime = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero),
        });
        ProgramResult first = await runner.RunAsync(new ProgramInput());
        ProgramResult same = await runner.RunAsync(new ProgramInput());
        ProgramResult other = await runner.RunAsync(new ProgramInput { Seed = 43 });

        Assert.That(same.StandardOutput, Is.EqualTo(first.StandardOutput).And.Not.Empty);
        Assert.That(other.End, Is.EqualTo(ProgramEnd.Exited));
    }

    [Test]
    public void Reading_the_strings_of_a_run()
    {
        const string device = "ready";
        File.WriteAllText(device, "2\0one\0\0A=1\0B=x=y\0");

        string[] strings = Encoding.UTF8.GetString(File.ReadAllBytes(device)).Split('\0')[..^1];
        string[] arguments = strings[1..(1 + int.Parse(strings[0], CultureInfo.InvariantCulture))];
        Dictionary<string, string> variables = strings[(1 + arguments.Length)..]
            .Select(variable => variable.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1]);

        Assert.That(arguments, Is.EqualTo(new[] { "one", "" }));
        Assert.That(variables, Is.EqualTo(new Dictionary<string, string> { ["A"] = "1", ["B"] = "x=y" }));
    }

    [Test]
    public void The_helpers_are_those_of_the_sample()
    {
        MarkdownPage page = MarkdownPage.All.Single(static page => page.Path == "docs/programs.md");
        foreach ((string language, string file) in new[] { ("python", "ready.py"), ("lua", "ready.lua") })
        {
            string sample = File.ReadAllText(Path.Combine(Repository.Root, "samples", "RunProgram", "checkpoint", file)).ReplaceLineEndings("\n");
            Assert.That(page.Fragments.Single(fragment => fragment.Language == language).Text, Is.EqualTo(sample));
        }
    }

    internal static CacheVariable WritePython()
    {
        Directory.CreateDirectory("python");
        new OciLayout("python").WriteLayers(new TarFile().File("usr/local/bin/python3", "no executable"));
        return new CacheVariable();
    }
}
