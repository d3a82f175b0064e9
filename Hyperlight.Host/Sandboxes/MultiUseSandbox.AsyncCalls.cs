using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Execution.Threads;
using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>Asynchronous calls of guest functions.</content>
public sealed partial class MultiUseSandbox
{
    /// <summary>
    /// Calls a guest function that returns a value. The guest runs on a thread of <see cref="GuestThreads"/>; while it waits for
    /// an asynchronous host function, it occupies no thread.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The arguments are copied before the method returns. Host functions run with the <see cref="ExecutionContext"/> of the
    /// caller, and without its <see cref="SynchronizationContext"/>. The sandbox is in use until the task completes: calls that
    /// are made meanwhile, also by its host functions, fail with <see cref="SandboxInUseException"/>. Host functions can call
    /// other sandboxes; a function that waits for such a call should be asynchronous, because one that blocks keeps a guest
    /// thread that the call may need.
    /// </para>
    /// <para>
    /// When a call is ended while the guest waits for an asynchronous host function or for a thread, the task completes at once.
    /// The token of the host function is cancelled; its result is discarded.
    /// </para>
    /// </remarks>
    /// <typeparam name="TResult">What the function returns; see <see cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <returns>
    /// The result of the function. Every exception of <see cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/> is the
    /// task's, apart from those that are documented here.
    /// </returns>
    /// <exception cref="ArgumentException">The name is empty, there are more than 11 arguments, an argument is the default <see cref="GuestValue"/>, or text is not valid Unicode.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="TResult"/> is not a type of the guest ABI.</exception>
    public Task<TResult> CallAsync<TResult>(string functionName, params ReadOnlySpan<GuestValue> arguments) =>
        CallAsyncCore<TResult>(functionName, arguments, _limits, CancellationToken.None);

    /// <summary>Calls a guest function that returns a value, asynchronously and with a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public Task<TResult> CallAsync<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken) =>
        CallAsyncCore<TResult>(functionName, arguments, _limits, cancellationToken);

    /// <summary>Calls a guest function that returns a value, asynchronously, with a time limit and a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="timeout">
    /// How long the call may take, host functions and the wait for a thread included, in addition to the limits of <see
    /// cref="SandboxConfiguration.Budget"/>; at most 4,294,967,294 milliseconds (49.7 days), or <see
    /// cref="Timeout.InfiniteTimeSpan"/> for no further limit.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is zero, negative and not infinite, or too long.</exception>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public Task<TResult> CallAsync<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallAsyncCore<TResult>(functionName, arguments, Limit(timeout), cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, asynchronously.</summary>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public Task CallAsync(string functionName, params ReadOnlySpan<GuestValue> arguments) =>
        CallAsync<Unit>(functionName, arguments);

    /// <summary>Calls a guest function without a result, or discards it, asynchronously and with a token that can end the call.</summary>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public Task CallAsync(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken) =>
        CallAsync<Unit>(functionName, arguments, cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, asynchronously, with a time limit and a token that can end the call.</summary>
    /// <inheritdoc cref="CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public Task CallAsync(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallAsync<Unit>(functionName, arguments, timeout, cancellationToken);

    private Task<TResult> CallAsyncCore<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, in BudgetLimits limits, CancellationToken cancellationToken)
    {
        GuestCallLimits.Check(functionName, arguments.Length);
        CallObservation observation = _setup.Telemetry.BeginCall(functionName);
        if (observation.IsNone)
        {
            return CallUnobservedAsync<TResult>(functionName, arguments, limits, cancellationToken);
        }

        try
        {
            return ObserveAsync(CallUnobservedAsync<TResult>(functionName, arguments, limits, cancellationToken), observation);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }
        finally
        {
            // The activity is current in the call alone, not in what the caller does until it awaits the call.
            observation.Detach();
        }
    }

    private static async Task<TResult> ObserveAsync<TResult>(Task<TResult> call, CallObservation observation)
    {
        TResult result;
        try
        {
            result = await call.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.Succeed();
        return result;
    }

    private Task<TResult> CallUnobservedAsync<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, in BudgetLimits limits, CancellationToken cancellationToken)
    {
        GuestValueType? resultType = CallResult.ExpectedType<TResult>();
        try
        {
            SendFirst(functionName, arguments, limits, resultType);
        }
        catch (Exception exception) when (exception is not ArgumentException)
        {
            return Task.FromException<TResult>(
                exception is OutOfMemoryException outOfMemory ? new HostMemoryException("A call", outOfMemory) : exception);
        }

        return ReceiveAsync<TResult>(functionName, resultType, cancellationToken);
    }

    /// <summary>Begins a call and sends its arguments, on the caller's thread, so that the caller can change them afterwards.</summary>
    private void SendFirst(
        string functionName, ReadOnlySpan<GuestValue> arguments, in BudgetLimits limits, GuestValueType? resultType)
    {
        _gate.Enter("a call", this);
        try
        {
            // A token that is cancelled already ends the call when it is watched.
            BeginCall(limits, CancellationToken.None);
            Send(functionName, arguments, resultType);
        }
        catch
        {
            EndFailedCall();
            LeaveGate();
            throw;
        }
    }

    private async Task<TResult> ReceiveAsync<TResult>(
        string functionName, GuestValueType? resultType, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(functionName, cancellationToken).ConfigureAwait(false);
            return Receive<TResult>(functionName, resultType, default);
        }
        catch (Exception exception)
        {
            EndFailedCall();
            if (exception is OutOfMemoryException outOfMemory)
            {
                throw new HostMemoryException("A call", outOfMemory);
            }

            throw;
        }
        finally
        {
            LeaveGate();

            // What the caller does with the result must not occupy the guest thread.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    private async Task RunAsync(string functionName, CancellationToken cancellationToken)
    {
        Interrupter.Watch watch = _runner.Interrupts.Begin(cancellationToken);
        try
        {
            await TurnOnGuestThread();
            _runner.PrepareDispatch();
            while (_runner.Run() is { } pending)
            {
                await _runner.WaitFor(pending).ConfigureAwait(false);
                await TurnOnGuestThread();
                _runner.Continue(pending);
            }
        }
        catch (Exception exception) when (_runner.HasEntered)
        {
            Poison(functionName, exception);
            throw;
        }
        finally
        {
            _setup.Output.Flush();
            await watch.DisposeAsync().ConfigureAwait(false);
        }
    }

    private GuestThreadTurn TurnOnGuestThread()
    {
        var turn = new GuestThreadTurn(_setup.Threads, _gate.Operation);
        _runner.Interrupts.Wait(turn);
        return turn;
    }
}
