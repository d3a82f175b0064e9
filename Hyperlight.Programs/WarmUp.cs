using System.Diagnostics;
using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Network;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>What is done once, before the runs of a program that has a checkpoint: its way there, and its trial run.</summary>
internal static class WarmUp
{
    /// <exception cref="ArgumentException">The input for a trial run or the directory is invalid, or there is no checkpoint.</exception>
    public static void Check(ProgramTemplate template)
    {
        if (template is { CheckpointDirectory: not null, Checkpoint: ProgramCheckpoint.None })
        {
            throw new ArgumentException(
                $"{nameof(ProgramTemplate.CheckpointDirectory)} is set, but the program has no checkpoint. Set {nameof(ProgramTemplate.Checkpoint)}, or remove the directory.");
        }

        if (template.CheckpointDirectory?.Length == 0)
        {
            throw new ArgumentException($"{nameof(ProgramTemplate.CheckpointDirectory)} is empty. Set it to the path of a directory, or to null.");
        }

        if (template.TrialInput is not { } input)
        {
            return;
        }

        if (template.Checkpoint == ProgramCheckpoint.None)
        {
            throw Invalid(
                $"is set, but the program has no checkpoint from which it could be run. Set {nameof(ProgramTemplate.Checkpoint)}, or remove the input");
        }

        if ((input.StandardInputStream ?? input.StandardOutputStream ?? input.StandardErrorStream) is not null)
        {
            throw Invalid($"has a stream, but a pool can make more than one trial run. Use {nameof(ProgramInput.StandardInput)}");
        }

        // What is wrong with the template is no fault of the input.
        ProgramRequest.Create(template, ProgramInput.Empty);
        try
        {
            ProgramRequest.Create(template, input);
        }
        catch (ArgumentException exception)
        {
            throw Invalid($"is invalid: {exception.Message}", exception);
        }

        static ArgumentException Invalid(string problem, Exception? exception = null) =>
            new($"{nameof(ProgramTemplate.TrialInput)} {problem.TrimEnd('.')}.", exception);
    }

    /// <returns><see langword="null"/> without a checkpoint, and if it was loaded.</returns>
    /// <exception cref="ProgramCheckpointException">The program ended, or was ended by a limit.</exception>
    /// <exception cref="IOException">A directory of the host cannot be opened.</exception>
    public static async Task<ProgramWarmUp?> RunAsync(KernelSandbox sandbox, ProgramTemplate template, CancellationToken cancellationToken)
    {
        if (template.Checkpoint == ProgramCheckpoint.None)
        {
            return null;
        }

        if (sandbox.IsLoaded)
        {
            // What every run would fail with is an error of the creation, as on the way to the checkpoint.
            new DirectoryMounts(template.Directories).Dispose();
            return null;
        }

        long start = Stopwatch.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var failure = new StreamFailure(end);
        using var streams = new ProgramStreams(ProgramInput.Empty, template.Limits.Output, null, failure);
        var budget = RunBudget.OfWarmUp(template.Limits);
        ProgramReport? report = await RunAsync(sandbox, template, streams, failure, budget, end.Token).ConfigureAwait(false);
        if (report is { IsAtCheckpoint: true })
        {
            TimeSpan duration = Stopwatch.GetElapsedTime(start);
            ProgramResult? trial = await TryAsync(sandbox, template, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return new ProgramWarmUp(streams.Output, streams.Error, report.UnsupportedSystemCalls, duration, trial, sandbox.Save());
        }

        ProgramResult result = report is null
            ? ProgramResult.OfLimit(ProgramEnd.TimeLimit, streams.Output, streams.Error, budget.Usage)
            : ProgramResult.Of(report, streams.Output, streams.Error, budget.Usage);
        throw new ProgramCheckpointException(ProgramRequest.ExecutableOf(template), template.Checkpoint, result);
    }

    /// <returns><see langword="null"/> if there is none.</returns>
    private static async Task<ProgramResult?> TryAsync(KernelSandbox sandbox, ProgramTemplate template, CancellationToken cancellationToken)
    {
        if (template.TrialInput is not { } input)
        {
            return null;
        }

        byte[] request = ProgramRequest.Create(template, input);
        ProgramResult trial = await ProgramExecution.RunAsync(
            template, input, null, (run, token) => sandbox.TryAsync(request, run, token), cancellationToken).ConfigureAwait(false);
        await sandbox.PrepareAsync(cancellationToken).ConfigureAwait(false);
        return trial;
    }

    /// <returns><see langword="null"/> if the time limit ended the program.</returns>
    private static async Task<ProgramReport?> RunAsync(
        KernelSandbox sandbox, ProgramTemplate template, ProgramStreams streams, StreamFailure failure, RunBudget budget, CancellationToken cancellationToken)
    {
        byte[] request = ProgramRequest.CreateForWarmUp(template);
        try
        {
            using var directories = new HostDirectories(new DirectoryMounts(template.Directories));
            // A connection would not last until a run: there are none before the checkpoint.
            await using var network = new HostNetwork(null);
            await using var input = new StandardInput(default, null, network.Changes, failure);
            var run = new RunServices(
                streams,
                input,
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
