namespace Hyperlight;

/// <summary>
/// The guest executed as many instructions as <see cref="SandboxConfiguration.InstructionBudget"/> permits. It was stopped
/// before the end of the call, so the sandbox is poisoned.
/// </summary>
public sealed class InstructionBudgetExhaustedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="budget">The instruction budget.</param>
    public InstructionBudgetExhaustedException(long budget)
        : base($"The guest executed the {budget} instructions it was allowed and had not finished. Raise {nameof(SandboxConfiguration.InstructionBudget)} if it needs more.") =>
        Budget = budget;

    /// <summary>The instruction budget.</summary>
    public long Budget { get; }
}
