namespace Hyperlight;

/// <summary>The cause that ended a call, a guest's initialisation or the taking of a snapshot before it was complete.</summary>
public enum CancellationReason
{
    /// <summary>The <see cref="System.Threading.CancellationToken"/> that was passed to the call.</summary>
    CancellationToken,

    /// <summary><see cref="InterruptHandle.Cancel"/>.</summary>
    InterruptHandle,

    /// <summary>The sandbox was disposed.</summary>
    Disposal,

    /// <summary>The limit of wall-clock time, <see cref="CallBudget.WallClockTime"/>. The exception is a <see cref="BudgetExceededException"/>.</summary>
    Timeout,

    /// <summary>Another limit of the <see cref="CallBudget"/>. The exception is a <see cref="BudgetExceededException"/>.</summary>
    Budget,
}
