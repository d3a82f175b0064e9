namespace Hyperlight;

/// <summary>What a call has used of what a <see cref="CallBudget"/> limits.</summary>
public readonly record struct CallStatistics
{
    /// <summary>The time from the beginning of the call to its end, or until now.</summary>
    public TimeSpan WallClockTime { get; init; }

    /// <summary>The time that the guest's virtual processor has run, by the host's clock. Host functions are not included.</summary>
    public TimeSpan CpuTime { get; init; }

    /// <summary>The instructions that the guest has executed; <see langword="null"/> if the driver does not count them.</summary>
    public long? Instructions { get; init; }

    /// <summary>
    /// The pages of 4 KiB that the guest has written and had not written before, since the sandbox was created or restored: what
    /// the call adds to the work of the next restore. <see langword="null"/> if the driver does not know them, as KVM, MSHV and
    /// WHP do not.
    /// </summary>
    public long? DirtyPages { get; init; }

    /// <summary>The calls of host functions, <c>HostPrint</c> included.</summary>
    public long HostCalls { get; init; }

    /// <summary>The log records that the guest has sent.</summary>
    public long LogRecords { get; init; }

    /// <summary>The bytes of UTF-8 that the guest has printed, through <c>HostPrint</c> and the debug port.</summary>
    public long PrintedBytes { get; init; }
}
