using System.Diagnostics;
using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>The way of a program to its checkpoint, once, before its runs.</summary>
internal static class WarmUp
{
    /// <exception cref="ProgramCheckpointException">The program ended, or was ended by a limit.</exception>
    public static async Task<ProgramWarmUp> RunAsync(KernelSandbox sandbox, ProgramTemplate template, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var streams = new ProgramStreams(ProgramInput.Empty, template.Limits.Output, null, end);
        ProgramReport? report = await RunAsync(sandbox, template, streams, end.Token).ConfigureAwait(false);
        if (report is { IsAtCheckpoint: true })
        {
            return new ProgramWarmUp(streams.Output, streams.Error, report.UnsupportedSystemCalls, Stopwatch.GetElapsedTime(start));
        }

        ProgramResult result = report is null
            ? ProgramResult.OfTimeLimit(streams.Output, streams.Error)
            : ProgramResult.Of(report, streams.Output, streams.Error);
        throw new ProgramCheckpointException(ProgramRequest.ExecutableOf(template), template.Checkpoint, result);
    }

    /// <returns><see langword="null"/> if the time limit ended the program.</returns>
    private static async Task<ProgramReport?> RunAsync(
        KernelSandbox sandbox, ProgramTemplate template, ProgramStreams streams, CancellationToken cancellationToken)
    {
        byte[] request = ProgramRequest.Create(template, ProgramInput.Empty);
        try
        {
            using var directories = new HostDirectories(new DirectoryMounts(template.Directories));
            var run = new RunServices(
                streams,
                new RunFiles(ProgramInput.Empty, template.Limits, template.Directories),
                directories,
                new ToolCalls(template.Tools, ProgramInput.Empty.Tools));
            return await sandbox.WarmUpAsync(request, run, template.Limits.WarmUpTime, cancellationToken).ConfigureAwait(false);
        }
        catch (BudgetExceededException exception) when (exception.Reason == CancellationReason.Timeout)
        {
            return null;
        }
    }
}
