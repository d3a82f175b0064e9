namespace Hyperlight;

/// <summary>Calls that rent a sandbox for one call.</summary>
public static class SandboxPoolExtensions
{
    /// <summary>
    /// Rents a sandbox, calls a guest function that returns a value, and returns the sandbox, also if the call fails. The next call
    /// finds a clean guest.
    /// </summary>
    /// <typeparam name="TResult">What the function returns; see <see cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue})"/>.</typeparam>
    /// <param name="pool">The pool.</param>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="cancellationToken">Ends the wait for a sandbox, or the call.</param>
    /// <returns>The result of the function. All exceptions are the task's: those of renting, and those of the call.</returns>
    /// <exception cref="PoolQueueFullException">All sandboxes are in use, and the queue is full.</exception>
    /// <exception cref="PoolTimeoutException">No sandbox became free within <see cref="SandboxPoolOptions.WaitTimeout"/>.</exception>
    /// <exception cref="PoolCreationException">A sandbox could not be created; the inner exception is the cause.</exception>
    /// <exception cref="PoolClosedException">The pool was closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the call was ended: <see cref="ExecutionCanceledException"/>.</exception>
    /// <exception cref="InvalidOperationException">The pool keeps state per key.</exception>
    public static async Task<TResult> CallAsync<TResult>(
        this ISandboxPool pool, string functionName, GuestValue[] arguments, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        SandboxLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            return await lease.CallAsync<TResult>(functionName, arguments, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Rents a sandbox, calls a guest function with a budget, and returns the sandbox, also if the call fails.</summary>
    /// <typeparam name="TResult">What the function returns; see <see cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue})"/>.</typeparam>
    /// <param name="pool">The pool.</param>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="budget">Limits of the call, in addition to those of the pool. The wait for a sandbox is not a part of the call.</param>
    /// <param name="cancellationToken">Ends the wait for a sandbox, or the call.</param>
    /// <inheritdoc cref="CallAsync{TResult}(ISandboxPool, string, GuestValue[], CancellationToken)"/>
    public static async Task<TResult> CallAsync<TResult>(
        this ISandboxPool pool, string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        SandboxLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            return await lease.CallAsync<TResult>(functionName, arguments, budget, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Rents a sandbox, calls a guest function without a result, or discards it, and returns the sandbox, also if the call fails.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="cancellationToken">Ends the wait for a sandbox, or the call.</param>
    /// <inheritdoc cref="CallAsync{TResult}(ISandboxPool, string, GuestValue[], CancellationToken)"/>
    public static async Task CallAsync(
        this ISandboxPool pool, string functionName, GuestValue[] arguments, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        SandboxLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            await lease.CallAsync(functionName, arguments, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Rents a sandbox, calls a guest function without a result, or discards it, with a budget, and returns the sandbox, also if the call fails.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="budget">Limits of the call, in addition to those of the pool. The wait for a sandbox is not a part of the call.</param>
    /// <param name="cancellationToken">Ends the wait for a sandbox, or the call.</param>
    /// <inheritdoc cref="CallAsync{TResult}(ISandboxPool, string, GuestValue[], CancellationToken)"/>
    public static async Task CallAsync(
        this ISandboxPool pool, string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);
        SandboxLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            await lease.CallAsync(functionName, arguments, budget, cancellationToken).ConfigureAwait(false);
        }
    }
}
