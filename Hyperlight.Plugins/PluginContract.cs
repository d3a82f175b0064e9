namespace Hyperlight.Plugins;

/// <summary>The generated code of an interface. Immutable.</summary>
/// <typeparam name="TContract">The interface.</typeparam>
public sealed class PluginContract<TContract>
    where TContract : class
{
    /// <summary>Creates the contract. This is what generated code does.</summary>
    /// <param name="createProxy">Creates what the application calls.</param>
    /// <param name="createDispatcher">Creates what calls the plugin.</param>
    public PluginContract(Func<IPluginChannel, TContract> createProxy, Func<TContract, IPluginDispatcher> createDispatcher)
    {
        ArgumentNullException.ThrowIfNull(createProxy);
        ArgumentNullException.ThrowIfNull(createDispatcher);
        CreateProxy = createProxy;
        CreateDispatcher = createDispatcher;
    }

    internal Func<IPluginChannel, TContract> CreateProxy { get; }

    internal Func<TContract, IPluginDispatcher> CreateDispatcher { get; }
}
