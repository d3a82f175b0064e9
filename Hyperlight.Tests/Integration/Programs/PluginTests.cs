using Hyperlight.Programs;
using Hyperlight.Samples.Plugin;
using Hyperlight.Samples.Plugin.Application;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A C# plugin is called, and is contained when it misbehaves.</summary>
internal sealed class PluginTests(TestTarget target) : ProgramTest(target)
{
    private readonly List<PluginRunner<ITextPlugin>> _plugins = [];

    [SetUp]
    public void SkipWhereItTakesTooLong() => RequireFastExecution();

    [TearDown]
    public async Task DisposePlugins()
    {
        foreach (PluginRunner<ITextPlugin> plugin in _plugins)
        {
            await plugin.DisposeAsync();
        }

        _plugins.Clear();
    }

    [Test]
    public async Task The_sample_contains_a_plugin_that_misbehaves()
    {
        RequireFastKernel();
        PublishedProgram.DirectoryOf("UntrustedPlugin");
        using var output = new StringWriter();

        await Demonstration.RunAsync(output, CreateBuilder);

        TestContext.Out.WriteLine(output);
        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] expected =
        [
            "Reversed     thgilrepyH",
            "Counted      8 words, a: 3, rose: 3",
            "Recalled     a note in the same session, nothing in the next one",
            "Throw        exception of the plugin: System.InvalidOperationException: I do not want to.",
            "Loop         the plugin has ended: TimeLimit, exit code 137",
            "Allocate     exception of the plugin: System.OutOfMemoryException: ",
            "Recurse      the plugin has ended: Signaled, exit code 139",
            "ReadFile     exception of the plugin: System.IO.FileNotFoundException: ",
            "OpenSocket   exception of the plugin: System.Net.Sockets.SocketException: ",
            "WriteOutput  refused: The plugin's answer to the call of 'MisbehaveAsync' is not JSON.",
            "Exit         the plugin has ended: Exited, exit code 3",
            "Meanwhile, other calls were served.",
        ];
        Assert.That(lines, Has.Length.EqualTo(expected.Length));
        Assert.Multiple(() =>
        {
            foreach ((string line, string start) in lines.Zip(expected))
            {
                Assert.That(line, Does.StartWith(start.TrimEnd()));
            }
        });
    }

    [Test]
    public async Task A_session_goes_on_after_an_exception_and_not_after_its_end()
    {
        await using PluginSession<ITextPlugin> session = (await CreateAsync()).Start();
        await Assert.ThrowsAsync<PluginException>(() => session.Plugin.MisbehaveAsync(Misbehaviour.Throw));

        Assert.That(await session.Plugin.ReverseAsync("äé\n\"\\"), Is.EqualTo("\\\"\néä"));

        PluginEndedException? first = await Assert.ThrowsAsync<PluginEndedException>(() => session.Plugin.MisbehaveAsync(Misbehaviour.Exit));
        PluginEndedException? second = await Assert.ThrowsAsync<PluginEndedException>(() => session.Plugin.ReverseAsync("x"));
        Assert.That((first?.Result.ExitCode, second?.Result.ExitCode, (await session.Result).ExitCode), Is.EqualTo((3, 3, 3)));
    }

    [Test]
    public async Task A_cancelled_call_ends_the_session_and_not_the_runner()
    {
        PluginRunner<ITextPlugin> runner = await CreateAsync();
        await using (PluginSession<ITextPlugin> session = runner.Start())
        {
            using var source = new CancellationTokenSource();
            Task<WordCounts> call = session.Plugin.CountAsync(new("", []), 1, source.Token).AsTask();
            await source.CancelAsync();
            await Assert.CatchAsync<OperationCanceledException>(() => call);
            await Assert.CatchAsync<OperationCanceledException>(() => session.Plugin.ReverseAsync("x"));
        }

        Assert.That(await runner.CallAsync(static plugin => plugin.ReverseAsync("ab")), Is.EqualTo("ba"));
    }

    [Test]
    public async Task An_answer_that_is_too_long_is_refused()
    {
        PluginRunner<ITextPlugin> runner = await CreateAsync(answerBytes: 5000);

        Assert.That(await runner.CallAsync(static plugin => plugin.ReverseAsync(new string('a', 4000))), Has.Length.EqualTo(4000));
        await Assert.ThrowsAsync<GuestProtocolException>(() => runner.CallAsync(static plugin => plugin.ReverseAsync(new string('a', 20_000))));
    }

    [Test]
    public async Task A_registered_plugin_is_called_at_the_same_time_and_contained_while_others_are_served()
    {
        string directory = PublishedProgram.DirectoryOf("UntrustedPlugin");
        var services = new ServiceCollection();

        // Threads of its own: the loops of the other fixtures take those of the process.
        services.AddHyperlight(static options => options.GuestThreads = new GuestThreads(2)).RemoveBuiltInDrivers().AddDriver(Target.Hypervisor).AddPlugin(
            "text",
            TextPluginContract.Instance,
            program =>
            {
                program.Image = ProgramImage.FromDirectory(directory, ImageOptions);
                program.Command = ["/UntrustedPlugin"];
                program.Checkpoint = ProgramCheckpoint.Ready;
                program.Limits = WithTime(new ProgramLimits { Memory = 64 << 20, Time = Timeout.InfiniteTimeSpan });
                program.Pool = new SandboxPoolOptions { MaximumSize = 2 };
            },
            plugin => plugin.CallTime = TimeSpan.FromSeconds(IsEmulatingKvm ? 60 : 20));
        await using ServiceProvider provider = services.BuildServiceProvider();
        PluginRunner<ITextPlugin> runner = provider.GetRequiredKeyedService<PluginRunner<ITextPlugin>>("text");
        Assert.That(await runner.CallAsync(static plugin => plugin.ReverseAsync("ab")), Is.EqualTo("ba"));

        Task<string> looping = runner.CallAsync(static plugin => plugin.MisbehaveAsync(Misbehaviour.Loop));
        int served = 0;
        while (!looping.IsCompleted)
        {
            Assert.That(await runner.CallAsync(static plugin => plugin.ReverseAsync("ab")), Is.EqualTo("ba"));
            served += looping.IsCompleted ? 0 : 1;
        }

        PluginEndedException? ended = await Assert.ThrowsAsync<PluginEndedException>(() => looping);
        Assert.That(ended?.Result.End, Is.EqualTo(ProgramEnd.TimeLimit));
        Assert.That(served, Is.Positive);
        await Assert.ThrowsAsync<PluginException>(() => runner.CallAsync(static plugin => plugin.MisbehaveAsync(Misbehaviour.Throw)));
        await runner.CallAsync(static async plugin =>
        {
            await plugin.RememberAsync("a note");
            return await plugin.RecallAsync();
        });
        Assert.That(await runner.CallAsync(static plugin => plugin.RecallAsync()), Is.Null, "a note of another session");
    }

    private SandboxBuilder CreateBuilder() => new SandboxBuilder().WithHypervisor(Target.Hypervisor);

    private async Task<PluginRunner<ITextPlugin>> CreateAsync(int answerBytes = 0x10_0000)
    {
        string directory = PublishedProgram.DirectoryOf("UntrustedPlugin");
        PluginRunner<ITextPlugin> runner = await PluginRunner.CreateAsync(TextPluginContract.Instance, new PluginTemplate
        {
            Program = new ProgramTemplate
            {
                Image = ProgramImage.FromDirectory(directory, ImageOptions),
                Command = ["/UntrustedPlugin"],
                Limits = WithTime(new ProgramLimits()),
                CreateBuilder = CreateBuilder,
            },
            AnswerBytes = answerBytes,
            CallTime = TimeSpan.FromMinutes(1),
        });
        _plugins.Add(runner);
        return runner;
    }
}
