using System.Diagnostics;
using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Network;
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
        var budget = RunBudget.OfWarmUp(template.Limits);
        ProgramReport? report = await RunAsync(sandbox, template, streams, budget, end.Token).ConfigureAwait(false);
        if (report is { IsAtCheckpoint: true })
        {
            return new ProgramWarmUp(streams.Output, streams.Error, report.UnsupportedSystemCalls, Stopwatch.GetElapsedTime(start));
        }

        ProgramResult result = report is null
            ? ProgramResult.OfLimit(ProgramEnd.TimeLimit, streams.Output, streams.Error, budget.Usage)
            : ProgramResult.Of(report, streams.Output, streams.Error, budget.Usage);
        throw new ProgramCheckpointException(ProgramRequest.ExecutableOf(template), template.Checkpoint, result);
    }

    /// <returns><see langword="null"/> if the time limit ended the program.</returns>
    private static async Task<ProgramReport?> RunAsync(
        KernelSandbox sandbox, ProgramTemplate template, ProgramStreams streams, RunBudget budget, CancellationToken cancellationToken)
    {
        // It is limited by its time alone.
        byte[] request = ProgramRequest.Create(template with { Limits = template.Limits with { SystemCalls = null } }, ProgramInput.Empty);
        try
        {
            using var directories = new HostDirectories(new DirectoryMounts(template.Directories));
            // A connection would not last until a run: there are none before the checkpoint.
            await using var network = new HostNetwork(null);
            var run = new RunServices(
                streams,
                new RunFiles(ProgramInput.Empty, template.Limits, template.Directories),
                directories,
                new ToolCalls(template.Tools, ProgramInput.Empty.Tools),
                network,
                budget);
            return await sandbox.WarmUpAsync(request, run, cancellationToken).ConfigureAwait(false);
        }
        catch (BudgetExceededException exception) when (budget.EndBy(exception) is not null)
        {
            return null;
        }
    }
}
