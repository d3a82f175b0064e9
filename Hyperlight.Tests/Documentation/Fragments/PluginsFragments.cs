using Hyperlight.Programs;
using Hyperlight.Samples.Plugin;
using Hyperlight.Tests.Integration.Programs;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/plugins.md that are not in the sample.</summary>
[TestFixture]
internal sealed class PluginsFragments
{
    private static string PluginDirectory => PublishedProgram.DirectoryOf("UntrustedPlugin");

    [Test]
    public async Task A_plugin_is_registered()
    {
        var services = new ServiceCollection();

        services.AddHyperlight().AddPlugin(
            "text",
            TextPluginContract.Instance,
            program =>
            {
                program.Image = ProgramImage.FromDirectory(PluginDirectory);
                program.Command = ["/UntrustedPlugin"];
                program.Checkpoint = ProgramCheckpoint.Ready;
                program.Pool = new SandboxPoolOptions { MaximumSize = 4 };
            },
            plugin => plugin.CallTime = TimeSpan.FromSeconds(5));

        await using ServiceProvider provider = services.BuildServiceProvider();
        PluginRunner<ITextPlugin> runner = provider.GetRequiredKeyedService<PluginRunner<ITextPlugin>>("text");
        Assert.That((runner.Template.CallTime, runner.Template.Program.Checkpoint), Is.EqualTo((TimeSpan.FromSeconds(5), ProgramCheckpoint.Ready)));
    }
}
