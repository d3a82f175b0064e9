using Hyperlight.Host.Budgets;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <content>Calls with a budget, and what a call has used.</content>
public sealed partial class MultiUseSandbox
{
    /// <summary>
    /// What the call in progress has used so far, or the last call has used: also one that failed. Before the first call it is
    /// what the guest's initialisation has used; nothing, if the sandbox started from a snapshot or is new in a lease.
    /// </summary>
    public CallStatistics LastCall => _runner.Interrupts.Meter.Statistics;

    /// <summary>Calls a guest function that returns a value, with a budget and a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="budget">Limits of the call, in addition to those of <see cref="SandboxConfiguration.Budget"/>. The tightest of each kind applies.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="UnsupportedConfigurationException">The budget limits instructions, which the driver does not count. The guest was not entered.</exception>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public TResult Call<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        CallCore<TResult>(functionName, arguments, _limits.Tighten(budget), cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, with a budget and a token that can end the call.</summary>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public void Call(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        Call<Unit>(functionName, arguments, budget, cancellationToken);

    /// <summary>
    /// Calls a guest function that returns bytes, and copies these into the caller's memory, with a budget and a token that can
    /// end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="budget">Limits of the call, in addition to those of <see cref="SandboxConfiguration.Budget"/>. The tightest of each kind applies.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="UnsupportedConfigurationException">The budget limits instructions, which the driver does not count. The guest was not entered.</exception>
    /// <inheritdoc cref="CallInto(string, Span{byte}, ReadOnlySpan{GuestValue})"/>
    public int CallInto(
        string functionName,
        Span<byte> destination,
        ReadOnlySpan<GuestValue> arguments,
        CallBudget budget,
        CancellationToken cancellationToken = default) =>
        CallCore<BytesWritten>(functionName, arguments, _limits.Tighten(budget), cancellationToken, destination).Count;

    /// <summary>Calls a guest function that returns a value, asynchronously, with a budget and a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="budget">Limits of the call, in addition to those of <see cref="SandboxConfiguration.Budget"/>. The tightest of each kind applies.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="UnsupportedConfigurationException">The budget limits instructions, which the driver does not count. The guest was not entered. An exception of the task.</exception>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public Task<TResult> CallAsync<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        CallAsyncCore<TResult>(functionName, arguments, _limits.Tighten(budget), cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, asynchronously, with a budget and a token that can end the call.</summary>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public Task CallAsync(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        CallAsync<Unit>(functionName, arguments, budget, cancellationToken);

    /// <summary>The next user of the sandbox does not see what earlier calls have used.</summary>
    internal void ForgetLastCall() => _runner.Interrupts.Meter.Forget();

    /// <summary>The limits of a call that has a time limit.</summary>
    private BudgetLimits Limit(TimeSpan timeout) => _limits.Tighten(CallLimits.CheckTimeout(timeout, nameof(timeout)));
}
