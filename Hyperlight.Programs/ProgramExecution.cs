using System.Globalization;
using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Network;
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
        var failure = new StreamFailure(end);
        using var streams = new ProgramStreams(input, template.Limits.Output, observer, failure);
        try
        {
            ProgramNetwork? network = input.Network ?? template.Network;
            var files = new RunFiles(WithNames(input, network, template.Directories.Keys), template.Limits, template.Directories);
            using var directories = new HostDirectories(new DirectoryMounts(template.Directories));
            var tools = new ToolCalls(template.Tools, input.Tools);
            await using var connections = new HostNetwork(network);
            await using var standardInput = new StandardInput(input.StandardInput, input.StandardInputStream, connections.Changes, failure);
            var run = new RunServices(streams, standardInput, files, directories, tools, connections, RunBudget.OfRun(template.Limits));
            return await RunAsync(template.Limits, run, execute, end.Token).ConfigureAwait(false);
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

    /// <summary>The program finds the names of its network in a file, unless it is handed one, or its directory is the host's.</summary>
    private static ProgramInput WithNames(ProgramInput input, ProgramNetwork? network, IEnumerable<string> directories)
    {
        const string Hosts = "/etc/hosts";
        return network is null || network.Rules.IsEmpty || input.Files.ContainsKey(Hosts) || directories.Any(static directory => RunFiles.IsIn(Hosts, directory))
            ? input
            : input with { Files = new Dictionary<string, ReadOnlyMemory<byte>>(input.Files) { [Hosts] = network.Rules.HostsFile } };
    }

    private static async Task<ProgramResult> RunAsync(
        ProgramLimits limits, RunServices run, Func<RunServices, CancellationToken, Task<ProgramReport>> execute, CancellationToken cancellationToken)
    {
        ProgramStreams streams = run.Streams;
        try
        {
            ProgramReport report = await execute(run, cancellationToken).ConfigureAwait(false);
            if (streams.Failure is { } failure)
            {
                throw failure;
            }

            Check(report, limits, streams);
            await run.Input.DisposeAsync().ConfigureAwait(false);
            await run.Network.CloseAsync(cancellationToken).ConfigureAwait(false);
            return ProgramResult.Of(report, streams.Output, streams.Error, run.Budget.Usage, run.Files);
        }
        catch (BudgetExceededException exception) when (streams.Failure is null && run.Budget.EndBy(exception) is { } end)
        {
            return ProgramResult.OfLimit(end, streams.Output, streams.Error, run.Budget.Usage);
        }
    }

    /// <summary>A program may have taken over the kernel: the ends that the host knows of are compared with what it knows.</summary>
    private static void Check(ProgramReport report, ProgramLimits limits, ProgramStreams streams)
    {
        if (report.IsAtCheckpoint)
        {
            throw new GuestProtocolException("The kernel of a program reports a checkpoint that was not asked for.");
        }

        if (streams.IsLimitReached != (report.End == ProgramEnd.OutputLimit))
        {
            throw new GuestProtocolException(
                $"The kernel of a program reports the end '{report.End}', but the limit of its output was {(streams.IsLimitReached ? "" : "not ")}reached.");
        }

        if (report.SystemCalls > limits.SystemCalls || (report.End == ProgramEnd.SystemCallLimit && report.SystemCalls != limits.SystemCalls))
        {
            throw new GuestProtocolException(
                $"The kernel of a program reports the end '{report.End}' and {report.SystemCalls} system calls, but their limit is {limits.SystemCalls?.ToString(CultureInfo.InvariantCulture) ?? "not set"}.");
        }
    }
}
