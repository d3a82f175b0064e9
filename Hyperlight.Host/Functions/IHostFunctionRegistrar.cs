namespace Hyperlight;

/// <summary>
/// Something that host functions can be registered with: a builder, or a sandbox. Use the methods of
/// <see cref="HostFunctionExtensions"/>.
/// </summary>
public interface IHostFunctionRegistrar
{
    /// <summary>Registers a function; it replaces an earlier one of the same name.</summary>
    /// <param name="hostFunction">The function.</param>
    void AddHostFunction(HostFunction hostFunction);
}
