using Hyperlight.Abstractions;
using Hyperlight.Host.Hypervisors;

namespace Hyperlight;

/// <summary>
/// Chooses a hypervisor: the first usable one in order of preference, or the one asked for by name. Safe to use from any
/// thread. A choice is kept; a failure is not, so that a machine that was set up meanwhile is seen.
/// </summary>
public sealed class HypervisorSelector
{
    private static readonly Lazy<HypervisorSelector> LazyDefault = new(() => new HypervisorSelector(Drivers.Create()));

    private readonly IReadOnlyList<IHypervisor> _hypervisors;
    private volatile HypervisorSelection? _preferred;

    /// <summary>Creates a selector.</summary>
    /// <param name="hypervisors">The drivers, the preferred one first.</param>
    public HypervisorSelector(IEnumerable<IHypervisor> hypervisors)
    {
        ArgumentNullException.ThrowIfNull(hypervisors);
        _hypervisors = [.. hypervisors];
    }

    /// <summary>The process-wide selector over the drivers of this operating system.</summary>
    public static HypervisorSelector Default => LazyDefault.Value;

    /// <summary>The drivers, the preferred one first.</summary>
    public IReadOnlyList<IHypervisor> Hypervisors => _hypervisors;

    /// <summary>Chooses the first usable driver.</summary>
    /// <exception cref="HypervisorNotAvailableException">None is usable; the message says for each why, and what to do.</exception>
    public HypervisorSelection Select() => _preferred ??= Choose(_hypervisors, "No hypervisor on this machine can run a guest.");

    /// <summary>Chooses the driver of a name.</summary>
    /// <param name="name">The driver's name, such as <c>kvm</c>; case does not matter.</param>
    /// <exception cref="ArgumentException">There is no such driver; the message lists those there are.</exception>
    /// <exception cref="HypervisorNotAvailableException">It cannot be used; the message says why, and what to do.</exception>
    public HypervisorSelection Select(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        IHypervisor[] named = [.. _hypervisors.Where(h => string.Equals(h.Name, name, StringComparison.OrdinalIgnoreCase))];
        if (named.Length == 0)
        {
            string known = string.Join(", ", _hypervisors.Select(h => h.Name));
            throw new ArgumentException($"There is no hypervisor driver '{name}' here; there are: {known}.", nameof(name));
        }

        return Choose(named, $"The hypervisor '{name}' cannot run a guest.");
    }

    /// <summary>What speaks for the choice, and what was wrong with those this machine might have had.</summary>
    private static string Explain(HypervisorStatus chosen, List<KeyValuePair<string, HypervisorStatus>> passedOver)
    {
        IEnumerable<string> obstacles = passedOver
            .Where(s => s.Value.Availability is not (HypervisorAvailability.NotImplemented or HypervisorAvailability.UnsupportedPlatform))
            .Select(s => $"{s.Key}: {s.Value.Reason.TrimEnd('.')}");
        return string.Join("; ", [chosen.Reason, .. obstacles]);
    }

    private static HypervisorSelection Choose(IReadOnlyList<IHypervisor> candidates, string failure)
    {
        var statuses = new List<KeyValuePair<string, HypervisorStatus>>();
        foreach (IHypervisor candidate in candidates)
        {
            HypervisorStatus status = candidate.Probe();
            if (status.IsUsable)
            {
                return new HypervisorSelection(candidate, Explain(status, statuses));
            }

            statuses.Add(new(candidate.Name, status));
        }

        string details = statuses.Count == 0
            ? "There is no driver for this operating system."
            : string.Join(" ", statuses.Select(s => $"{s.Key}: {s.Value}"));
        throw new HypervisorNotAvailableException($"{failure} {details}", statuses);
    }
}
