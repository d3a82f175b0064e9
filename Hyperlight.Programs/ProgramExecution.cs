using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>One run of a program, whatever machine executes it: its streams, files and tools, and its result.</summary>
internal static class ProgramExecution
{
    /// <param name="template">What runs.</param>
    /// <param name="input">What the program gets.</param>
    /// <param name="observer">Gets the output that no stream gets; <see langword="null"/> for the result to have it.</param>
    /// <param name="execute">Executes the program with what the kernel calls.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public static async Task<ProgramResult> RunAsync(
        ProgramTemplate template,
        ProgramInput input,
        Func<ProgramOutput, CancellationToken, ValueTask>? observer,
        Func<RunServices, CancellationToken, Task<ProgramReport>> execute,
        CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var streams = new ProgramStreams(input, template.Limits.Output, observer, end);
        try
        {
            var files = new RunFiles(input, template.Limits, template.Directories.Keys);
            using var directories = new HostDirectories(new DirectoryMounts(template.Directories));
            var tools = new ToolCalls(template.Tools, input.Tools);
            return await RunAsync(new RunServices(streams, files, directories, tools), execute, end.Token).ConfigureAwait(false);
        }
        catch (Exception) when (streams.Failure is not null && !cancellationToken.IsCancellationRequested)
        {
            throw streams.Failure;
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
    }

    private static async Task<ProgramResult> RunAsync(
        RunServices run, Func<RunServices, CancellationToken, Task<ProgramReport>> execute, CancellationToken cancellationToken)
    {
        ProgramStreams streams = run.Streams;
        try
        {
            ProgramReport report = await execute(run, cancellationToken).ConfigureAwait(false);
            if (streams.Failure is { } failure)
            {
                throw failure;
            }

            return report.IsAtCheckpoint
                ? throw new GuestProtocolException("The kernel of a program reports a checkpoint that was not asked for.")
                : streams.IsLimitReached != (report.End == ProgramEnd.OutputLimit)
                ? throw new GuestProtocolException(
                    $"The kernel of a program reports the end '{report.End}', but the limit of its output was {(streams.IsLimitReached ? "" : "not ")}reached.")
                : ProgramResult.Of(report, streams.Output, streams.Error, run.Files);
        }
        catch (BudgetExceededException exception) when (exception.Reason == CancellationReason.Timeout)
        {
            return ProgramResult.OfTimeLimit(streams.Output, streams.Error);
        }
    }
}
