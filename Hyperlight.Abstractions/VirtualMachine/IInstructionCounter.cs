namespace Hyperlight.Abstractions;

/// <summary>
/// Implemented by virtual machines that count the guest's instructions exactly. Use a type test.
/// </summary>
public interface IInstructionCounter
{
    /// <summary>
    /// Instructions executed since the machine was created. One with a repeat prefix counts once for each time it is
    /// started. One that faults counts too, also if it cannot be fetched.
    /// </summary>
    long InstructionCount { get; }

    /// <summary>
    /// Whether the guest's time-stamp counter counts instructions: that of a machine with <see
    /// cref="VirtualMachineOptions.RandomSeed"/>, whose guest reads the same in every run. <see
    /// cref="IVirtualMachine.DiscardPendingState"/> of such a machine begins the counter, without what was written to it, and the
    /// processor's random numbers again.
    /// </summary>
    bool IsTimeSource { get; }

    /// <summary>
    /// How many more instructions may be executed, at least 0; <see cref="long.MaxValue"/>, the default, if there is no limit.
    /// It falls with every instruction. At 0, <see cref="IVirtualMachine.Run"/> returns
    /// <see cref="VmExitReason.InstructionBudgetExhausted"/> before the next one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    long InstructionBudget { get; set; }
}
