using Hyperlight.Abstractions;

namespace Hyperlight.Host.Execution;

/// <summary>The limit on what a guest may execute each time it is entered for a call, on machines that can count.</summary>
internal sealed class InstructionLimit
{
    private readonly IInstructionCounter? _counter;
    private readonly long? _budget;

    /// <summary>Checks that the machine can do what is asked.</summary>
    /// <exception cref="HypervisorException">There is a budget, and the machine does not count.</exception>
    public InstructionLimit(string driver, IVirtualMachine machine, long? budget)
    {
        _counter = machine as IInstructionCounter;
        _budget = budget;
        if (budget is not null && _counter is null)
        {
            throw new HypervisorException(
                driver,
                "InstructionBudget",
                0,
                "its machines do not count instructions",
                $"Run the guest on the emulator, or do not set {nameof(SandboxConfiguration.InstructionBudget)}.");
        }
    }

    /// <summary>Instructions executed so far, or <see langword="null"/> if the machine does not count.</summary>
    public long? Count => _counter?.InstructionCount;

    /// <summary>The guest may execute as much again.</summary>
    public void Begin()
    {
        if (_budget is { } budget)
        {
            _counter!.InstructionBudget = budget;
        }
    }

    public InstructionBudgetExhaustedException Exceeded() => new(_budget ?? 0);
}
