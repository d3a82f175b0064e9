namespace Hyperlight.Samples.AspNetFunctions;

/// <summary>The limits of the service: section <c>Functions</c> of the configuration.</summary>
internal sealed class ServiceOptions
{
    /// <summary>The largest number of guests.</summary>
    public int MaximumGuests { get; set; } = 16;

    /// <summary>The largest guest, in bytes.</summary>
    public int MaximumGuestSize { get; set; } = 8 << 20;

    /// <summary>The largest body of a call, in bytes.</summary>
    public int MaximumBodySize { get; set; } = 64 << 10;

    /// <summary>The time limit of a call, including the wait for a thread while other guests run.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a guest may run in a call. What it waits for is not included, so that one guest does not end the calls of others.</summary>
    public TimeSpan CpuTime { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>How many host functions a call may call.</summary>
    public int HostCalls { get; set; } = 1000;

    /// <summary>How many log records a call may write.</summary>
    public int LogRecords { get; set; } = 1000;

    /// <summary>How long a request waits for a sandbox.</summary>
    public TimeSpan WaitTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How many requests wait for a sandbox of a guest.</summary>
    public int QueueLength { get; set; } = 200;

    /// <summary>The largest number of sandboxes of a guest.</summary>
    public int MaximumSandboxes { get; set; } = 16;

    /// <summary>How many requests an address may make in a second.</summary>
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>The largest delay that guests can wait for, in milliseconds.</summary>
    public int MaximumDelay { get; set; } = 500;
}
