namespace Hyperlight;

/// <summary>A limit of a <see cref="CallBudget"/>.</summary>
public enum BudgetKind
{
    /// <summary><see cref="CallBudget.WallClockTime"/>.</summary>
    WallClockTime,

    /// <summary><see cref="CallBudget.CpuTime"/>.</summary>
    CpuTime,

    /// <summary><see cref="CallBudget.Instructions"/>.</summary>
    Instructions,

    /// <summary><see cref="CallBudget.HostCalls"/>.</summary>
    HostCalls,

    /// <summary><see cref="CallBudget.LogRecords"/>.</summary>
    LogRecords,

    /// <summary><see cref="CallBudget.PrintedBytes"/>.</summary>
    PrintedBytes,
}
