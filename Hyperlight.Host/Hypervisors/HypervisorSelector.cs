using System.Diagnostics.CodeAnalysis;
using Hyperlight.Abstractions;
using Hyperlight.Host.Hypervisors;

namespace Hyperlight;

/// <summary>
/// Chooses a hypervisor: the first usable one in order of preference, or of a list of names. Thread-safe. A choice without
/// names is cached, but a failure is not, so that a hypervisor that becomes usable later is found.
/// </summary>
public sealed class HypervisorSelector
{
    private static readonly Lazy<HypervisorSelector> LazyDefault = new(() => new HypervisorSelector(Drivers.Create()));

    private readonly IReadOnlyList<IHypervisor> _hypervisors;
    private volatile HypervisorSelection? _preferred;

    /// <summary>Creates a selector.</summary>
    /// <param name="hypervisors">The drivers, the preferred one first. If several have the same name, the first usable one is used.</param>
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
    public HypervisorSelection Select() => _preferred ??= Select(names: []);

    /// <summary>Chooses the driver of a name.</summary>
    /// <param name="name">The driver's name, such as <c>kvm</c>; case does not matter.</param>
    /// <exception cref="ArgumentException">There is no such driver; the message lists those there are.</exception>
    /// <exception cref="HypervisorNotAvailableException">
    /// It cannot be used, for example because it is for another operating system; the message says why, and what to do.
    /// </exception>
    public HypervisorSelection Select(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Select(names: [name]);
    }

    /// <summary>Chooses the first usable driver of a list of names.</summary>
    /// <param name="names">The names of the allowed drivers, the preferred one first; case does not matter. If empty, all are allowed.</param>
    /// <param name="allowEmulator">Whether the emulator may be chosen.</param>
    /// <exception cref="ArgumentException">There is no driver of one of the names; the message lists those there are.</exception>
    /// <exception cref="HypervisorNotAvailableException">None is usable; the message says for each why, and what to do.</exception>
    public HypervisorSelection Select(IReadOnlyList<string> names, bool allowEmulator = true)
    {
        ArgumentNullException.ThrowIfNull(names);
        IEnumerable<IHypervisor> candidates = names.Count == 0 ? _hypervisors : names.SelectMany(Find);
        return Choose([.. candidates], names, allowEmulator);
    }

    /// <summary>Uses one driver that is given as an object.</summary>
    /// <exception cref="HypervisorNotAvailableException">It is not usable; the message says why, and what to do.</exception>
    internal static HypervisorSelection SelectOnly(IHypervisor hypervisor) => Choose([hypervisor], [hypervisor.Name], allowEmulator: true);

    /// <summary>Whether a name is that of a driver here or of a built-in one for another operating system.</summary>
    /// <param name="name">The name.</param>
    /// <param name="problem">What is wrong with the name, and which names there are.</param>
    internal bool TryFind(string name, [NotNullWhen(false)] out string? problem)
    {
        bool isKnown = _hypervisors.Any(h => Drivers.IsNamed(h, name)) || Drivers.FindElsewhere(name) is not null;
        problem = isKnown ? null
            : $"There is no hypervisor driver '{name}' here; there are: {string.Join(", ", _hypervisors.Select(h => h.Name).Distinct())}.";
        return isKnown;
    }

    private IHypervisor[] Find(string name)
    {
        IHypervisor[] named = [.. _hypervisors.Where(h => Drivers.IsNamed(h, name))];
        if (named.Length > 0)
        {
            return named;
        }

        // Its probe says which operating system it needs.
        return Drivers.FindElsewhere(name) is { } elsewhere ? [elsewhere]
            : TryFind(name, out string? problem) ? []
            : throw new ArgumentException(problem, nameof(name));
    }

    private static HypervisorSelection Choose(ReadOnlySpan<IHypervisor> candidates, IReadOnlyList<string> names, bool allowEmulator)
    {
        List<KeyValuePair<string, HypervisorStatus>> unusable = [];
        foreach (IHypervisor candidate in candidates)
        {
            HypervisorStatus status = !allowEmulator && Drivers.IsEmulator(candidate) ? EmulatorNotAllowed : candidate.Probe();
            if (status.IsUsable)
            {
                bool isFallback = Drivers.IsEmulator(candidate) && (names.Count == 0 || unusable.Count > 0);
                return new HypervisorSelection(candidate, SelectionText.Explain(status, unusable))
                {
                    Remedy = isFallback ? SelectionText.AvoidEmulator(unusable) : null,
                };
            }

            unusable.Add(new(candidate.Name, status));
        }

        throw new HypervisorNotAvailableException($"{SelectionText.Failure(names)} {SelectionText.Describe(unusable)}", unusable);
    }

    private static HypervisorStatus EmulatorNotAllowed { get; } = new(
        HypervisorAvailability.NotAllowed,
        "The emulator is not allowed.",
        "Set AllowEmulator to true to run guests on it, where no hypervisor is usable.");
}
