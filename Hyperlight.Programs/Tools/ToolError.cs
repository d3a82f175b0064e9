namespace Hyperlight.Programs.Tools;

/// <summary>What an answer has as the code of its error.</summary>
internal static class ToolError
{
    /// <summary>The request is not JSON, or has no name.</summary>
    public const string InvalidRequest = "invalid_request";

    public const string UnknownTool = "unknown_tool";

    /// <summary>The arguments do not fit the type of the tool.</summary>
    public const string InvalidArguments = "invalid_arguments";

    /// <summary>The tool has thrown. The kernel has the same code for a tool of which the host tells it nothing else.</summary>
    public const string Failed = "failed";

    /// <summary>The request or the answer is too large.</summary>
    public const string TooLarge = "too_large";

    /// <summary>All codes, for the documentation and its test.</summary>
    public static string[] All { get; } = [InvalidRequest, UnknownTool, InvalidArguments, Failed, TooLarge];
}
