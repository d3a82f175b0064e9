namespace Hyperlight;

/// <summary>
/// The guest executed as many instructions as <see cref="SandboxConfiguration.InstructionBudget"/> allows. It stopped
/// somewhere in the middle, at the same instruction every time, so the sandbox is poisoned.
/// </summary>
public sealed class InstructionBudgetExhaustedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="budget">How many instructions were allowed.</param>
    public InstructionBudgetExhaustedException(long budget)
        : base($"The guest executed the {budget} instructions it was allowed and had not finished. Raise {nameof(SandboxConfiguration.InstructionBudget)} if it needs more.") =>
        Budget = budget;

    /// <summary>How many instructions were allowed.</summary>
    public long Budget { get; }
}
