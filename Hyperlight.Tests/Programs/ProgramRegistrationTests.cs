using Hyperlight.Programs;
using Hyperlight.Programs.DependencyInjection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hyperlight.Tests.Programs;

/// <summary>Programs as services of an application.</summary>
[TestFixture]
internal sealed class ProgramRegistrationTests
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "guests", "program.elf");

    private static readonly ProgramImageOptions ImageOptions =
        new() { CacheDirectory = Path.Combine(AppContext.BaseDirectory, "programs", "images") };

    private readonly ServiceCollection _services = [];

    private IHyperlightBuilder _builder = null!;

    [SetUp]
    public void AddHyperlight()
    {
        _services.Clear();
        _builder = _services.AddHyperlight(static options => options.AllowEmulator = true).UseDriver("emulator");
    }

    [Test]
    public async Task A_program_is_a_keyed_service_that_is_ready_when_the_application_starts()
    {
        AddHello("hello");
        await using ServiceProvider provider = _services.BuildServiceProvider();
        foreach (IHostedService service in provider.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }

        IProgramRunner runner = provider.GetRequiredKeyedService<IProgramRunner>("hello");
        ProgramResult result = await runner.RunAsync(ProgramInput.Empty);

        Assert.That(result.StandardOutput, Is.EqualTo("hello\n"));
    }

    [Test]
    public async Task A_program_starts_from_its_checkpoint()
    {
        _builder.AddProgram("server", static options =>
        {
            options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
            options.Command = ["program", "ready-serve"];
            options.Checkpoint = ProgramCheckpoint.Ready;
        });
        await using ServiceProvider provider = _services.BuildServiceProvider();

        ProgramResult result = await provider.GetRequiredKeyedService<IProgramRunner>("server").RunAsync(new ProgramInput { Arguments = ["one"] });

        Assert.That(result.StandardOutput, Is.EqualTo("string 1\nstring one\ncount 1\n"));
    }

    [Test]
    public async Task A_program_can_be_used_before_the_application_starts()
    {
        AddHello("hello");
        await using ServiceProvider provider = _services.BuildServiceProvider();
        await using ProgramRun run = provider.GetRequiredKeyedService<IProgramRunner>("hello").Start(ProgramInput.Empty);

        string text = "";
        await foreach (ProgramOutput output in run.Output)
        {
            text += output.Text;
        }

        Assert.That((text, (await run.Result).ExitCode), Is.EqualTo(("hello\n", 7)));
    }

    [Test]
    public async Task A_program_has_the_tools_of_its_options()
    {
        _builder.AddProgram("calls", static options =>
        {
            options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
            options.Command = ["program", "call", """{"name":"echo","arguments":1}"""];
            options.Tools = [ProgramTool.Create("echo", static arguments => arguments)];
        });
        await using ServiceProvider provider = _services.BuildServiceProvider();

        ProgramResult result = await provider.GetRequiredKeyedService<IProgramRunner>("calls").RunAsync(ProgramInput.Empty);

        Assert.That(result.StandardOutput, Is.EqualTo("{\"result\":1}\n"));
    }

    [Test]
    public void A_program_has_the_directories_and_the_network_of_its_options()
    {
        var options = new ProgramOptions { Network = new ProgramNetwork { AllowedHosts = ["10.0.0.1:80"] } };
        options.Directories["/data"] = "/srv";

        ProgramTemplate template = RegisteredProgram.TemplateOf(ProgramImage.FromExecutable(Executable, ImageOptions), options);

        Assert.That(template.Directories, Is.EqualTo(new Dictionary<string, ProgramDirectory> { ["/data"] = "/srv" }));
        Assert.That(template.Network, Is.SameAs(options.Network));
    }

    [Test]
    public async Task A_program_of_a_disposed_application_cannot_be_run()
    {
        AddHello("hello");
        IProgramRunner runner;
        await using (ServiceProvider provider = _services.BuildServiceProvider())
        {
            runner = provider.GetRequiredKeyedService<IProgramRunner>("hello");
            await runner.RunAsync(ProgramInput.Empty);
        }

        await Assert.ThatAsync(() => runner.RunAsync(ProgramInput.Empty), Throws.TypeOf<PoolClosedException>());
    }

    [Test]
    public async Task A_program_that_is_stopped_before_it_was_used_cannot_be_run()
    {
        AddHello("hello");
        await using ServiceProvider provider = _services.BuildServiceProvider();
        foreach (IHostedService service in provider.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }

        IProgramRunner runner = provider.GetRequiredKeyedService<IProgramRunner>("hello");

        await Assert.ThatAsync(() => runner.RunAsync(ProgramInput.Empty), Throws.TypeOf<PoolClosedException>().With.Message.Contains("'hello'"));
        Assert.That(() => runner.Start(ProgramInput.Empty), Throws.TypeOf<PoolClosedException>());
    }

    [Test]
    public void Options_are_validated_when_the_application_starts()
    {
        _builder.AddProgram("no image", static _ => { });
        _builder.AddProgram("bad variable", static options =>
        {
            options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
            options.Environment["A=B"] = "";
        });
        _builder.AddProgram("bad checkpoint", static options =>
        {
            options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
            options.Checkpoint = (ProgramCheckpoint)7;
        });
        _builder.AddProgram("bad tools", static options =>
        {
            options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
            options.Tools = [ProgramTool.Create("one", static arguments => arguments), ProgramTool.Create("one", static arguments => arguments)];
        });
        using ServiceProvider provider = _services.BuildServiceProvider();

        Exception error = Assert.Catch(() => provider.GetRequiredService<IStartupValidator>().Validate())!;

        Assert.That(error.ToString(), Does.Contain("The program 'no image' has no image").And.Contain("'A=B' is not the name of an environment variable")
            .And.Contain("The program 'bad checkpoint': ").And.Contain("There are two tools with the name 'one'"));
    }

    [Test]
    public async Task A_program_that_cannot_be_loaded_fails_the_start()
    {
        _builder.AddProgram("broken", static options => options.Image = ProgramImage.FromExecutable("/no/such/file", ImageOptions));
        await using ServiceProvider provider = _services.BuildServiceProvider();

        IEnumerable<IHostedService> services = [.. provider.GetServices<IHostedService>()];

        await Assert.ThatAsync(() => services.Last().StartAsync(default), Throws.TypeOf<ProgramImageException>());
    }

    [Test]
    public void A_name_can_be_used_once()
    {
        AddHello("hello");

        Assert.That(() => AddHello("hello"), Throws.ArgumentException);
        Assert.That(() => AddHello("Hello"), Throws.Nothing);
        Assert.That(() => AddHello(" "), Throws.ArgumentException);
    }

    private void AddHello(string name) => _builder.AddProgram(name, static options =>
    {
        options.Image = ProgramImage.FromExecutable(Executable, ImageOptions);
        options.Command = ["program", "hello"];
    });
}
