using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>No hypervisor on this machine can be used, or the chosen one cannot be used.</summary>
public sealed class HypervisorNotAvailableException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">Which drivers were probed, why each cannot be used, and the remedy.</param>
    /// <param name="statuses">The status of each driver, by name, in the order in which they were probed.</param>
    public HypervisorNotAvailableException(string message, IReadOnlyList<KeyValuePair<string, HypervisorStatus>> statuses)
        : base(message) => Statuses = statuses;

    /// <summary>The status of each driver, by name, in the order in which they were probed.</summary>
    public IReadOnlyList<KeyValuePair<string, HypervisorStatus>> Statuses { get; }
}
