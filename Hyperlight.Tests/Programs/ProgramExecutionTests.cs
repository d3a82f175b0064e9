using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>How a run ends, whatever executes it.</summary>
[TestFixture]
internal sealed class ProgramExecutionTests
{
    private const long Instructions = 100;

    private static ProgramTemplate Template { get; } = new()
    {
        Image = ProgramImage.FromFiles(new Dictionary<string, ProgramFile> { ["/program"] = ProgramFile.FromText("") }),
        Limits = new ProgramLimits { Instructions = Instructions },
    };

    [Test]
    public async Task A_limit_is_the_end_of_a_run()
    {
        ProgramResult result = await ReachLimit(Stream.Null);

        Assert.That(result.End, Is.EqualTo(ProgramEnd.InstructionLimit));
    }

    [Test]
    public void A_stream_has_failed_also_if_a_limit_is_reached_meanwhile()
    {
        using var closed = new MemoryStream();
        closed.Dispose();

        Assert.That(() => ReachLimit(closed), Throws.TypeOf<ProgramStreamException>().With.InnerException.TypeOf<ObjectDisposedException>());
    }

    /// <summary>A run that writes a byte, and then has reached its limit.</summary>
    private static Task<ProgramResult> ReachLimit(Stream output) =>
        ProgramExecution.RunAsync(Template, new ProgramInput { StandardOutputStream = output }, null, static async (run, cancellationToken) =>
        {
            run.Budget.BeginCall();
            await run.Streams.WriteAsync(1, [1], cancellationToken);
            throw new BudgetExceededException(BudgetKind.Instructions, Instructions, Instructions + 1);
        }, CancellationToken.None);
}
