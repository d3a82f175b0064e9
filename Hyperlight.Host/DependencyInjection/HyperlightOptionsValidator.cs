using Hyperlight.Host.Hypervisors;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>Checks the options when the application starts: each message says which option, its value, and what to do.</summary>
internal sealed class HyperlightOptionsValidator(HypervisorSelector selector) : IValidateOptions<HyperlightOptions>
{
    public ValidateOptionsResult Validate(string? name, HyperlightOptions options)
    {
        string[] problems = [.. Check(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private IEnumerable<string> Check(HyperlightOptions options)
    {
        if (options.Hypervisor is not null && options.Hypervisors.Count > 0)
        {
            yield return $"{options.Source}{nameof(options.Hypervisor)} is '{options.Hypervisor}' and "
                + $"{options.Source}{nameof(options.Hypervisors)} is {List(options.Hypervisors)}. Remove one of them.";
        }

        if (options.Hypervisor is { } single && CheckName(single) is { } problem)
        {
            yield return $"{options.Source}{nameof(options.Hypervisor)} is '{single}'. {problem}";
        }

        for (int i = 0; i < options.Hypervisors.Count; i++)
        {
            if (CheckName(options.Hypervisors[i]) is { } wrong)
            {
                yield return $"{options.Source}{nameof(options.Hypervisors)}:{i} is '{options.Hypervisors[i]}'. {wrong}";
            }
        }

        if (!options.AllowEmulator && options.AllowedNames is { Count: > 0 } names && names.All(IsEmulator))
        {
            yield return $"{options.Source}{nameof(options.AllowEmulator)} is false, but the only allowed driver is the emulator. "
                + "Set it to true, or allow another driver.";
        }

        if (options.Configuration is null)
        {
            yield return $"{options.Source}{nameof(options.Configuration)} is null. Set it to a {nameof(SandboxConfiguration)}.";
        }

        if (options.GuestThreads is null)
        {
            yield return $"{options.Source}{nameof(options.GuestThreads)} is null. Set it to {nameof(GuestThreads)}.{nameof(GuestThreads.Default)}.";
        }
    }

    private string? CheckName(string name) =>
        string.IsNullOrWhiteSpace(name) ? "A driver has a name, such as 'kvm'."
        : selector.TryFind(name, out string? problem) ? null
        : problem;

    private static bool IsEmulator(string name) => string.Equals(name, Drivers.Emulator, StringComparison.OrdinalIgnoreCase);

    private static string List(IEnumerable<string> names) => $"[{string.Join(", ", names)}]";
}
