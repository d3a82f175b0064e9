namespace Hyperlight.Tests;

/// <summary>Times that tests have in common.</summary>
internal static class TestTime
{
    /// <summary>How long a test waits for what must happen. Far more than a busy machine needs: only what never happens takes longer.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(1);
}
