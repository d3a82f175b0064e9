using Hyperlight.Host.Execution;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>
/// Lets limits of time end when a test has come so far, however slow the machine is. That they end by themselves is what
/// <see cref="TimeoutTests"/> are about. For fixtures that do not run in parallel: it ends the limits of all.
/// </summary>
internal static class TimeLimits
{
    /// <summary>Every limit and timer of the process that is set has its time now.</summary>
    public static void ExpireAll() => DeadlineTimer.Shared.ExpireDue(long.MaxValue, []);
}
