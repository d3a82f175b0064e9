using System.Buffers;
using System.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;

namespace Hyperlight.Programs.Tools;

/// <summary>
/// The host function of one run for tools: the kernel sends a request in parts, and fetches the answer in parts. A program may have taken
/// over the kernel: each step is checked.
/// </summary>
internal sealed class ToolCalls(IReadOnlyList<ProgramTool> ofTemplate, IReadOnlyList<ProgramTool> ofInput)
{
    private const byte NoMore = 0;
    private const byte More = 1;

    private readonly Dictionary<string, ProgramTool> _tools = ByName(ofTemplate, ofInput);
    private readonly ArrayBufferWriter<byte> _request = new();
    private ReadOnlyMemory<byte> _answer;

    /// <summary>What the kernel calls the function for.</summary>
    public enum Step
    {
        /// <summary>Whether there are tools: one byte.</summary>
        Query,

        /// <summary>A part of a request, after which more follow.</summary>
        Request,

        /// <summary>The last part of a request. The first part of the answer.</summary>
        RequestEnd,

        /// <summary>The next part of the answer.</summary>
        Answer,
    }

    /// <summary>What is wrong with the calls of the kernel, or <see langword="null"/>.</summary>
    public string? Problem { get; private set; }

    /// <summary>Checks the names of tools.</summary>
    /// <exception cref="ArgumentException">Two tools of one list have the same name.</exception>
    public static void Check(IReadOnlyList<ProgramTool> tools)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ProgramTool tool in tools)
        {
            if (!names.Add(tool.Name))
            {
                throw new ArgumentException($"There are two tools with the name '{tool.Name}'.", nameof(tools));
            }
        }
    }

    /// <summary>Answers the kernel.</summary>
    /// <exception cref="InvalidOperationException">A tool has failed; the kernel has an answer for this. The inner exception is that of the tool.</exception>
    public ValueTask<ReadOnlyMemory<byte>> AnswerAsync(int step, byte[] bytes, CancellationToken cancellationToken)
    {
        switch ((Step)step)
        {
            case Step.Query:
                return ValueTask.FromResult<ReadOnlyMemory<byte>>(new[] { _tools.Count != 0 ? (byte)1 : (byte)0 });
            case Step.Request:
                Add(bytes);
                return default;
            case Step.RequestEnd:
                return Add(bytes) ? CallAsync(cancellationToken) : default;
            case Step.Answer when !_answer.IsEmpty:
                return ValueTask.FromResult(NextPart());
            default:
                Problem ??= $"it takes the step {step} of a call of a tool where there is none";
                return default;
        }
    }

    private static Dictionary<string, ProgramTool> ByName(IReadOnlyList<ProgramTool> ofTemplate, IReadOnlyList<ProgramTool> ofInput)
    {
        Dictionary<string, ProgramTool> tools = ofTemplate.ToDictionary(static tool => tool.Name, StringComparer.Ordinal);
        foreach (ProgramTool tool in ofInput)
        {
            tools[tool.Name] = tool;
        }

        return tools;
    }

    private bool Add(byte[] bytes)
    {
        if (bytes.Length > ProgramTool.MaximumBytes - _request.WrittenCount)
        {
            Problem ??= "it sends a request for a tool that is too large";
            return false;
        }

        _request.Write(bytes);
        return true;
    }

    private async ValueTask<ReadOnlyMemory<byte>> CallAsync(CancellationToken cancellationToken)
    {
        try
        {
            string? problem = ToolRequest.TryParse(_request.WrittenSpan, out ToolRequest request);
            _answer = problem is not null
                ? ToolAnswer.Error(ToolError.InvalidRequest, problem)
                : await CallAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _request.ResetWrittenCount();
        }

        return NextPart();
    }

    private async ValueTask<ReadOnlyMemory<byte>> CallAsync(ToolRequest request, CancellationToken cancellationToken)
    {
        if (!_tools.TryGetValue(request.Name, out ProgramTool? tool))
        {
            return ToolAnswer.Error(ToolError.UnknownTool, "There is no tool with this name.");
        }

        if (Activity.Current is { OperationName: HyperlightActivities.HostCall, IsAllDataRequested: true } activity)
        {
            activity.SetTag(Tags.Tool, tool.Name);
        }

        try
        {
            return await ToolAnswer.ResultAsync(tool, request.Arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (ProgramToolException exception)
        {
            return ToolAnswer.Error(ToolError.Failed, exception.Message);
        }
        catch (ToolArgumentsException exception)
        {
            return ToolAnswer.Error(ToolError.InvalidArguments, exception.Message);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The guest gets the text of this exception, but not that of the tool's.
            throw new InvalidOperationException($"The tool '{tool.Name}' has failed.", exception);
        }
    }

    private ReadOnlyMemory<byte> NextPart()
    {
        ReadOnlyMemory<byte> rest = _answer[Math.Min(_answer.Length, KernelMachine.MostBytes - 1)..];
        ReadOnlyMemory<byte> part = _answer[..^rest.Length];
        _answer = rest;
        byte[] message = [rest.IsEmpty ? NoMore : More, .. part.Span];
        return message;
    }
}
