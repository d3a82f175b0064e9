namespace Hyperlight;

/// <summary>
/// An object with which host functions are registered: a builder or a sandbox. Use the methods of
/// <see cref="HostFunctionExtensions"/>.
/// </summary>
public interface IHostFunctionRegistrar
{
    /// <summary>Registers a function.</summary>
    /// <param name="hostFunction">The function.</param>
    /// <exception cref="ArgumentException">
    /// A function of the same name is registered; remove it first with <see cref="RemoveHostFunction"/>. The default
    /// function <c>HostPrint</c> can be replaced without removing it.
    /// </exception>
    void AddHostFunction(HostFunction hostFunction);

    /// <summary>Removes a function: the guest cannot call it any more, and another one can have its name.</summary>
    /// <param name="name">The name by which the guest calls it.</param>
    /// <returns>Whether there was such a function.</returns>
    bool RemoveHostFunction(string name);
}
