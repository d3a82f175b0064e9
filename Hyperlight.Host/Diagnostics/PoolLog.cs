using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>What the library logs about pools.</summary>
internal static partial class PoolLog
{
    /// <summary>The logging category of pools.</summary>
    public const string Category = "Hyperlight.Pool";

    [LoggerMessage(EventId = 200, Level = LogLevel.Information, Message = "Pool {Pool} is ready with {Size} sandboxes, at most {MaximumSize}")]
    public static partial void Ready(ILogger logger, string pool, int size, int maximumSize);

    [LoggerMessage(EventId = 201, Level = LogLevel.Error, Message = "Pool {Pool} cannot create a sandbox")]
    public static partial void CreationFailed(ILogger logger, Exception exception, string pool);

    [LoggerMessage(EventId = 202, Level = LogLevel.Warning, Message = "Pool {Pool} replaces sandbox {SandboxId}, which cannot be restored")]
    public static partial void RestoreFailed(ILogger logger, Exception exception, string pool, long sandboxId);

    [LoggerMessage(EventId = 203, Level = LogLevel.Error, Message = "The resources of sandbox {SandboxId} of pool {Pool} could not all be released")]
    public static partial void ReleaseFailed(ILogger logger, Exception exception, string pool, long sandboxId);

    [LoggerMessage(EventId = 204, Level = LogLevel.Error, Message = "A lease of pool {Pool} was never returned: dispose every lease. The last function that was called is {Function}. Rented at: {Stack}")]
    public static partial void LeaseLost(ILogger logger, string pool, string function, string stack);

    [LoggerMessage(EventId = 205, Level = LogLevel.Information, Message = "Pool {Pool} has loaded its template again")]
    public static partial void Reloaded(ILogger logger, string pool);

    [LoggerMessage(EventId = 208, Level = LogLevel.Error, Message = "Pool {Pool} continues with the old template: the file was replaced, and cannot be loaded")]
    public static partial void ReloadFailed(ILogger logger, Exception exception, string pool);

    [LoggerMessage(EventId = 206, Level = LogLevel.Warning, Message = "Pool {Pool} is closed while {Count} leases are not returned after {DrainTimeout}; their calls are ended")]
    public static partial void LeasesEnded(ILogger logger, string pool, int count, TimeSpan drainTimeout);

    [LoggerMessage(EventId = 207, Level = LogLevel.Warning, Message = "The services of a lease of pool {Pool} failed to be disposed")]
    public static partial void ServicesFailed(ILogger logger, Exception exception, string pool);

    [LoggerMessage(EventId = 209, Level = LogLevel.Warning, Message = "The application stops while pools are closing whose leases are not returned: {Pools}")]
    public static partial void StillClosing(ILogger logger, string pools);

    [LoggerMessage(EventId = 210, Level = LogLevel.Error, Message = "What the sandboxes of pool {Pool} shared could not all be released")]
    public static partial void SourceReleaseFailed(ILogger logger, Exception exception, string pool);

    [LoggerMessage(EventId = 211, Level = LogLevel.Warning, Message = "The checkpoint of the program of pool {Pool} cannot be saved: without it, the program runs to its checkpoint again at the next start")]
    public static partial void CheckpointNotSaved(ILogger logger, Exception exception, string pool);
}
