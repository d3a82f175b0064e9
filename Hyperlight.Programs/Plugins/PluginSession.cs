using Hyperlight.Plugins;

namespace Hyperlight.Programs;

/// <summary>A plugin that runs. Disposing the session ends it. Calls that are made at the same time are made one after the other.</summary>
/// <typeparam name="TContract">The plugin's interface.</typeparam>
public sealed class PluginSession<TContract> : IAsyncDisposable
    where TContract : class
{
    private readonly PluginConnection _connection;

    internal PluginSession(PluginContract<TContract> contract, PluginConnection connection)
    {
        _connection = connection;
        Plugin = contract.CreateProxy(connection);
    }

    /// <summary>
    /// The plugin. Its methods throw <see cref="PluginException"/> if the plugin's method throws; <see cref="PluginEndedException"/> if the
    /// plugin ends, or takes longer than <see cref="PluginTemplate.CallTime"/>; <see cref="GuestProtocolException"/> if it does not answer as it
    /// must; <see cref="OperationCanceledException"/> if the token of the call was cancelled; and what <see
    /// cref="ProgramRunner.RunAsync(ProgramInput, CancellationToken)"/> throws. After each of these but the first the session has ended.
    /// </summary>
    public TContract Plugin { get; }

    /// <summary>How the plugin ended. Cancelled if the session was disposed, or ended by the application.</summary>
    public Task<ProgramResult> Result => _connection.Result;

    /// <summary>Ends the plugin.</summary>
    /// <returns>Its end.</returns>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
