using Hyperlight.Plugins;

namespace Hyperlight.Programs;

/// <summary>
/// Runs a C# plugin in a micro VM, and calls its methods. Each session starts from the same state. Sessions that are started at the same
/// time run one after the other, or, of a plugin of <c>AddPlugin</c>, at the same time, as many as its pool has micro VMs. Thread-safe.
/// </summary>
/// <typeparam name="TContract">The plugin's interface.</typeparam>
public sealed class PluginRunner<TContract> : IAsyncDisposable, IDisposable
    where TContract : class
{
    private readonly PluginContract<TContract> _contract;
    private readonly IProgramRunner _runner;
    private readonly ProgramRunner? _owned;

    /// <param name="contract">The generated code of the interface.</param>
    /// <param name="template">The plugin.</param>
    /// <param name="runner">Runs its program.</param>
    /// <param name="owned">What is disposed with this object; <see langword="null"/> if the runner belongs to others.</param>
    internal PluginRunner(PluginContract<TContract> contract, PluginTemplate template, IProgramRunner runner, ProgramRunner? owned)
    {
        _owned = owned;
        _contract = contract;
        Template = template;
        _runner = runner;
    }

    /// <summary>What the runner runs.</summary>
    public PluginTemplate Template { get; }

    /// <summary>Starts the plugin.</summary>
    /// <returns>The session. Dispose it: this ends the plugin.</returns>
    public PluginSession<TContract> Start() => new(_contract, new PluginConnection(_runner, Template));

    /// <summary>Makes calls in a session of their own: nothing of it is left afterwards.</summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="calls">Calls the plugin.</param>
    /// <returns>What the function returns.</returns>
    /// <exception cref="HyperlightException">A call failed; see <see cref="PluginSession{TContract}.Plugin"/>.</exception>
    public async Task<TResult> CallAsync<TResult>(Func<TContract, Task<TResult>> calls)
    {
        ArgumentNullException.ThrowIfNull(calls);
        PluginSession<TContract> session = Start();
        await using (session.ConfigureAwait(false))
        {
            return await calls(session.Plugin).ConfigureAwait(false);
        }
    }

    /// <summary>Releases the micro VM, after the session that is in progress. Those of <c>AddPlugin</c> are released with their application.</summary>
    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? default;

    /// <summary>Releases the micro VM, as <see cref="DisposeAsync"/>, and waits for that.</summary>
    public void Dispose() => _owned?.Dispose();
}
