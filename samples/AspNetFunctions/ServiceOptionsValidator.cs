using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions;

/// <summary>Checks the options when the service starts. Each message has the key, the value and the range.</summary>
internal sealed class ServiceOptionsValidator : IValidateOptions<ServiceOptions>
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, ServiceOptions options)
    {
        string[] problems =
        [
            .. Check(nameof(options.MaximumGuests), options.MaximumGuests, 1, 1000),
            .. Check(nameof(options.MaximumGuestSize), options.MaximumGuestSize, 1, 1 << 30),
            .. Check(nameof(options.MaximumBodySize), options.MaximumBodySize, 1, 1 << 30),
            .. Check(nameof(options.CallTimeout), options.CallTimeout, Shortest, Longest),
            .. Check(nameof(options.CpuTime), options.CpuTime, Shortest, Longest),
            .. Check(nameof(options.HostCalls), options.HostCalls, 0, int.MaxValue),
            .. Check(nameof(options.LogRecords), options.LogRecords, 0, int.MaxValue),
            .. Check(nameof(options.WaitTimeout), options.WaitTimeout, Shortest, Longest),
            .. Check(nameof(options.QueueLength), options.QueueLength, 0, 100_000),
            .. Check(nameof(options.MaximumSandboxes), options.MaximumSandboxes, 1, 1000),
            .. Check(nameof(options.RequestsPerSecond), options.RequestsPerSecond, 1, 1_000_000),
            .. Check(nameof(options.MaximumDelay), options.MaximumDelay, 0, 60_000),
        ];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Check<T>(string key, T value, T smallest, T largest)
        where T : IComparable<T>
    {
        if (value.CompareTo(smallest) < 0 || value.CompareTo(largest) > 0)
        {
            yield return $"Functions:{key} is {value}. Set it to a value from {smallest} to {largest}.";
        }
    }
}
