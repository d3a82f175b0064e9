using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>What the library itself logs about sandboxes.</summary>
internal static partial class SandboxLog
{
    /// <summary>The logging category of the library's own records.</summary>
    public const string Category = "Hyperlight.Sandbox";

    [LoggerMessage(EventId = 100, Level = LogLevel.Information, Message = "Hypervisor {Driver} was chosen: {Reason}")]
    public static partial void DriverChosen(ILogger logger, string driver, string reason);

    [LoggerMessage(EventId = 107, Level = LogLevel.Warning, Message = "Guests run on {Driver}, which is slower than a hypervisor: {Reason}. {Remedy}")]
    public static partial void EmulatorChosen(ILogger logger, string driver, string reason, string remedy);

    [LoggerMessage(EventId = 101, Level = LogLevel.Debug, Message = "Sandbox {SandboxId} of guest {Guest} is ready on {Driver}: {Reason}")]
    public static partial void Ready(ILogger logger, long sandboxId, string guest, string driver, string reason);

    [LoggerMessage(EventId = 102, Level = LogLevel.Warning, Message = "Sandbox {SandboxId} is poisoned: guest function {Function} failed with {ExceptionType}, which the caller has")]
    public static partial void Poisoned(ILogger logger, long sandboxId, string function, string exceptionType);

    [LoggerMessage(EventId = 112, Level = LogLevel.Information, Message = "Sandbox {SandboxId} is poisoned: guest function {Function} was ended by the host ({Reason})")]
    public static partial void Ended(ILogger logger, long sandboxId, string function, CancellationReason reason);

    [LoggerMessage(EventId = 104, Level = LogLevel.Warning, Message = "The snapshot of sandbox {SandboxId} lacks {Count} pages: the guest's page tables point to no memory for them")]
    public static partial void PagesLeftOut(ILogger logger, long sandboxId, int count);

    [LoggerMessage(EventId = 105, Level = LogLevel.Warning, Message = "Sandbox {SandboxId} is poisoned: restoring a snapshot failed with {ExceptionType}, which the caller has")]
    public static partial void RestoreFailed(ILogger logger, long sandboxId, string exceptionType);

    [LoggerMessage(EventId = 106, Level = LogLevel.Error, Message = "The hypervisor failed to cancel a call; it is asked again until the call has ended")]
    public static partial void CancellationFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 113, Level = LogLevel.Warning, Message = "A callback that a host function registered with the token of its call failed")]
    public static partial void CancellationCallbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 114, Level = LogLevel.Warning, Message = "Host function {Function} failed after the call had ended in which the guest called it")]
    public static partial void AbandonedHostFunctionFailed(ILogger logger, Exception exception, string function);

    [LoggerMessage(EventId = 108, Level = LogLevel.Error, Message = "The resources of sandbox {SandboxId}, which was disposed during a call, could not all be released")]
    public static partial void ReleaseFailed(ILogger logger, Exception exception, long sandboxId);

    [LoggerMessage(EventId = 109, Level = LogLevel.Warning, Message = "The application's debug output failed; later failures of this sandbox's are not logged")]
    public static partial void DebugOutputFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 103, Level = LogLevel.Debug, Message = "A late cancellation was ignored; the guest was entered again")]
    public static partial void LateCancellation(ILogger logger);
}
