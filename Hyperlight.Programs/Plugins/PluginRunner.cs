using Hyperlight.Plugins;

namespace Hyperlight.Programs;

/// <summary>Creates runners of plugins.</summary>
public static class PluginRunner
{
    /// <summary>Creates the micro VM and loads the plugin's program. The plugin does not run yet, except to a checkpoint and in a trial run.</summary>
    /// <typeparam name="TContract">The plugin's interface.</typeparam>
    /// <param name="contract">The generated code of the interface.</param>
    /// <param name="template">The plugin.</param>
    /// <param name="cancellationToken">Ends the creation.</param>
    /// <returns>The runner.</returns>
    /// <exception cref="HyperlightException">See <see cref="ProgramRunner.CreateAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<PluginRunner<TContract>> CreateAsync<TContract>(
        PluginContract<TContract> contract, PluginTemplate template, CancellationToken cancellationToken = default)
        where TContract : class
    {
        ArgumentNullException.ThrowIfNull(contract);
        ArgumentNullException.ThrowIfNull(template);
        ProgramRunner runner = await ProgramRunner.CreateAsync(template.Program, cancellationToken).ConfigureAwait(false);
        return new PluginRunner<TContract>(contract, template, runner, runner);
    }
}
