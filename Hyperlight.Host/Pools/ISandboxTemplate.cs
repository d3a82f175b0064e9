namespace Hyperlight.Host.Pools;

/// <summary>What the sandboxes of a pool are created from. It can be loaded again after it has changed.</summary>
internal interface ISandboxTemplate
{
    /// <summary>Loads it: reads the guest, and runs its initialisation once.</summary>
    ISandboxSource Load(CancellationToken cancellationToken);
}

/// <summary>A template that was loaded: creates clean sandboxes, and makes used ones clean. Thread-safe.</summary>
internal interface ISandboxSource : IDisposable
{
    /// <summary>Creates a clean sandbox.</summary>
    /// <param name="services">What host functions of the sandbox can use during a lease.</param>
    /// <param name="cancellationToken">Ends the creation.</param>
    ISandbox Create(LeaseServices services, CancellationToken cancellationToken);

    /// <summary>Makes a sandbox of this source clean.</summary>
    void Restore(ISandbox sandbox);
}
