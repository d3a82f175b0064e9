using System.Text.Json.Serialization;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>The figures of one benchmark on one driver. What was not measured is <see langword="null"/> and left out.</summary>
internal sealed record Measurement
{
    /// <summary>The benchmark.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>The driver, such as <c>kvm</c>.</summary>
    [JsonPropertyName("driver")]
    public required string Driver { get; init; }

    /// <summary>How many samples the percentiles are of; for memory, how many sandboxes.</summary>
    [JsonPropertyName("n")]
    public required int Count { get; init; }

    /// <summary>The shortest time of an operation, in microseconds: what other processes disturbed least.</summary>
    [JsonPropertyName("min_us")]
    public double? Fastest { get; init; }

    /// <summary>Median time of an operation, in microseconds.</summary>
    [JsonPropertyName("p50_us")]
    public double? P50 { get; init; }

    /// <summary>Time that 99 of 100 operations stay within, in microseconds; the longest time if there are fewer.</summary>
    [JsonPropertyName("p99_us")]
    public double? P99 { get; init; }

    /// <summary>Managed bytes allocated by an operation, on average, rounded up.</summary>
    [JsonPropertyName("allocated_bytes")]
    public long? AllocatedBytes { get; init; }

    /// <summary>The ioctls of an operation, on average.</summary>
    [JsonPropertyName("ioctls")]
    public double? Ioctls { get; init; }

    /// <summary>Median time of an operation inside the ioctl that runs the guest, in microseconds.</summary>
    [JsonPropertyName("guest_us")]
    public double? GuestTime { get; init; }

    /// <summary>Median time of an operation inside all other calls of the driver to the kernel, in microseconds.</summary>
    [JsonPropertyName("other_kernel_us")]
    public double? OtherKernelTime { get; init; }

    /// <summary>
    /// Median time of an operation outside the kernel, in microseconds: this library, and the page faults it causes.
    /// </summary>
    [JsonPropertyName("library_us")]
    public double? LibraryTime { get; init; }

    /// <summary>What the floor is.</summary>
    [JsonPropertyName("floor")]
    public string? Floor { get; init; }

    /// <summary>Median time of the floor, in microseconds.</summary>
    [JsonPropertyName("floor_us")]
    public double? FloorTime { get; init; }

    /// <summary>The floor's shortest time, in microseconds.</summary>
    [JsonPropertyName("floor_min_us")]
    public double? FastestFloor { get; init; }

    /// <summary>The operation's median divided by the floor's.</summary>
    [JsonPropertyName("ratio_to_floor")]
    public double? RatioToFloor { get; init; }

    /// <summary>Millions of guest instructions a second, where the driver counts them.</summary>
    [JsonPropertyName("guest_mips")]
    public double? Mips { get; init; }

    /// <summary>Private memory of the process for each sandbox, in bytes.</summary>
    [JsonPropertyName("private_bytes_per_sandbox")]
    public long? PrivateBytesPerSandbox { get; init; }
}

/// <summary>Writes measurements as JSON without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Measurement))]
internal sealed partial class MeasurementJson : JsonSerializerContext;
