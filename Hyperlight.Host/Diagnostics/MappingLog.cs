using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>What the library itself logs about mappings.</summary>
internal static partial class MappingLog
{
    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "The file name of {Path} is too long for a mapping label; the label is {Label}")]
    public static partial void LabelShortened(ILogger logger, string path, string label);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "The resources of mapping {Label} could not all be released")]
    public static partial void CleanupFailed(ILogger logger, Exception exception, string label);
}
