using System.Diagnostics.CodeAnalysis;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Hypervisors;

/// <summary>What is said about the choice of a driver.</summary>
internal static class SelectionText
{
    private const string NoHypervisorHere = "Run on x86-64 Linux with KVM to use a hypervisor.";

    /// <summary>That none can be used.</summary>
    /// <param name="names">The names of those that were asked for; if there are none, it was any.</param>
    public static string Failure(IReadOnlyList<string> names) => names.Count switch
    {
        0 => "No hypervisor on this machine can run a guest.",
        1 => $"The hypervisor '{names[0]}' cannot run a guest.",
        _ => $"None of the hypervisors {string.Join(", ", names)} can run a guest.",
    };

    /// <summary>What was found, what would make it faster, and why the drivers before it cannot be used.</summary>
    public static string Explain(HypervisorStatus chosen, IReadOnlyCollection<KeyValuePair<string, HypervisorStatus>> unusable) =>
        chosen.Remedy is null && unusable.Count == 0
            ? WithoutStop(chosen.Reason)
            : string.Join("; ", new[] { WithoutStop(chosen.Reason), WithoutStop(chosen.Remedy) }
                .OfType<string>()
                .Concat(unusable.Where(IsObstacle).Select(s => $"{s.Key}: {WithoutStop(s.Value.Reason)}")));

    /// <summary>How to use a hypervisor instead of the emulator.</summary>
    public static string AvoidEmulator(IEnumerable<KeyValuePair<string, HypervisorStatus>> unusable)
    {
        string[] remedies = [.. unusable
            .Where(s => IsObstacle(s) && s.Value.Remedy is not null)
            .Select(s => $"{s.Key}: {s.Value.Remedy}")];
        return remedies.Length > 0 ? string.Join(" ", remedies) : NoHypervisorHere;
    }

    /// <summary>Why each driver cannot be used, and what to do about it.</summary>
    public static string Describe(IReadOnlyCollection<KeyValuePair<string, HypervisorStatus>> unusable) => unusable.Count == 0
        ? "There is no driver for this operating system."
        : string.Join(" ", unusable.Select(s => $"{s.Key}: {s.Value}"));

    /// <summary>Whether this machine could have the hypervisor: nothing is said about those of other systems and versions.</summary>
    private static bool IsObstacle(KeyValuePair<string, HypervisorStatus> unusable) => unusable.Value.Availability switch
    {
        HypervisorAvailability.UnsupportedPlatform => false,
        HypervisorAvailability.NotImplemented => unusable.Value.Remedy is not null,
        _ => true,
    };

    [return: NotNullIfNotNull(nameof(sentence))]
    private static string? WithoutStop(string? sentence) => sentence?.TrimEnd('.');
}
