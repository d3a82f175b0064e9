namespace Hyperlight;

/// <summary>
/// Something that host functions can be registered with: a builder, or a sandbox. Use the methods of
/// <see cref="HostFunctionExtensions"/>.
/// </summary>
public interface IHostFunctionRegistrar
{
    /// <summary>Registers a function.</summary>
    /// <param name="hostFunction">The function.</param>
    /// <exception cref="ArgumentException">
    /// A function of the same name is registered; remove it first with <see cref="RemoveHostFunction"/>. The function
    /// <c>HostPrint</c> that every sandbox has of itself does not count.
    /// </exception>
    void AddHostFunction(HostFunction hostFunction);

    /// <summary>Removes a function, so that the guest no longer reaches it and another one can take its name.</summary>
    /// <param name="name">The name by which the guest calls it.</param>
    /// <returns>Whether there was such a function.</returns>
    bool RemoveHostFunction(string name);
}
