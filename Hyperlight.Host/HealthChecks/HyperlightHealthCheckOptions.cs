namespace Hyperlight;

/// <summary>The options of the health check that <c>AddHealthChecks().AddHyperlight()</c> adds.</summary>
public sealed class HyperlightHealthCheckOptions
{
    /// <summary>The template and the call of the probe.</summary>
    internal (string Template, Func<SandboxLease, CancellationToken, Task> Call)? ProbeCall { get; private set; }

    /// <summary>
    /// Rents a sandbox and calls its guest each time the health is checked. If the call throws, the application is unhealthy. If no
    /// sandbox is free in time, it is degraded.
    /// </summary>
    /// <param name="template">The name of the template.</param>
    /// <param name="call">Calls a function that is fast and has no effect, with the token. It can throw if the result is wrong.</param>
    /// <returns>These options, for further calls.</returns>
    public HyperlightHealthCheckOptions Probe(string template, Func<SandboxLease, CancellationToken, Task> call)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(template);
        ArgumentNullException.ThrowIfNull(call);
        ProbeCall = (template, call);
        return this;
    }
}
