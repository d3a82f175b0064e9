namespace Hyperlight.Host.Elf;

/// <summary>
/// Counts what is done to parse a file. Tables in a file can overlap, and refer to one another: without a bound, a small
/// file could ask for any amount of work.
/// </summary>
/// <param name="cancellationToken">Ends the parsing.</param>
internal sealed class ElfParsing(CancellationToken cancellationToken = default)
{
    private const int StepsBetweenChecks = 1 << 12;

    /// <summary>Table entries that were looked at so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Counts one table entry.</summary>
    /// <returns>The number of entries so far.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public long Step()
    {
        if (Steps++ % StepsBetweenChecks == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return Steps;
    }
}
