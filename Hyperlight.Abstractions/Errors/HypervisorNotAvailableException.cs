using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>No hypervisor on this machine can run a guest, or the one asked for cannot.</summary>
public sealed class HypervisorNotAvailableException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">Which drivers were tried, why each cannot be used, and what to do.</param>
    /// <param name="statuses">The answer of each driver, by name, in the order they were tried.</param>
    public HypervisorNotAvailableException(string message, IReadOnlyList<KeyValuePair<string, HypervisorStatus>> statuses)
        : base(message) => Statuses = statuses;

    /// <summary>The answer of each driver, by name, in the order they were tried.</summary>
    public IReadOnlyList<KeyValuePair<string, HypervisorStatus>> Statuses { get; }
}
