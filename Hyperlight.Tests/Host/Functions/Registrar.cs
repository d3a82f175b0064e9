namespace Hyperlight.Tests.Host.Functions;

/// <summary>Keeps the host functions that are registered, in order.</summary>
internal sealed class Registrar : IHostFunctionRegistrar
{
    public List<HostFunction> Functions { get; } = [];

    public void AddHostFunction(HostFunction hostFunction) => Functions.Add(hostFunction);

    public bool RemoveHostFunction(string name) => Functions.RemoveAll(f => f.Name == name) > 0;
}
