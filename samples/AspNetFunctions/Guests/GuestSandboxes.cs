using Microsoft.Extensions.Options;

namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>Makes the pool of a guest: what a guest can reach is what this gives it, and nothing else.</summary>
internal sealed class GuestSandboxes(ISandboxFactory factory, IOptions<ServiceOptions> options, ILoggerFactory loggers)
{
    public SandboxPool CreatePool(string name, GuestBinary guest)
    {
        ServiceOptions limits = options.Value;
        return new SandboxPool(
            () => factory.CreateBuilder()
                .WithGuest(guest)
                .WithHostFunction("Delay", (uint milliseconds, CancellationToken token) => DelayAsync(milliseconds, limits.MaximumDelay, token)),
            new SandboxPoolOptions
            {
                MaximumSize = limits.MaximumSandboxes,
                QueueLength = limits.QueueLength,
                WaitTimeout = limits.WaitTimeout,
                Budget = new CallBudget
                {
                    WallClockTime = limits.CallTimeout,
                    CpuTime = limits.CpuTime,
                    HostCalls = limits.HostCalls,
                    LogRecords = limits.LogRecords,
                },
            },
            name,
            loggers);
    }

    /// <summary>While it waits, the sandbox of the call occupies no thread.</summary>
    private static async Task<uint> DelayAsync(uint milliseconds, int longest, CancellationToken cancellationToken)
    {
        int delay = (int)Math.Min(milliseconds, (uint)longest);
        await Task.Delay(delay, cancellationToken);
        return (uint)delay;
    }
}
