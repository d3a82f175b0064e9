using System.Runtime.CompilerServices;
using CommunityToolkit.HighPerformance.Buffers;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Sandboxes;
using Hyperlight.Host.Wire;

namespace Hyperlight;

/// <content>Calls of guest functions.</content>
public sealed partial class MultiUseSandbox
{
    /// <summary>Calls a guest function that returns a value.</summary>
    /// <typeparam name="TResult">
    /// What the function returns: <see cref="int"/>, <see cref="uint"/>, <see cref="long"/>, <see cref="ulong"/>,
    /// <see cref="float"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/>, <c>byte[]</c> or
    /// <see cref="ReadOnlyMemory{T}"/> of <see cref="byte"/>; or <see cref="GuestValue"/> for a function whose result may have
    /// any type, or none.
    /// </typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <exception cref="ArgumentException">
    /// The name is empty, there are more than 11 arguments, an argument is the default <see cref="GuestValue"/>, or text is not
    /// valid Unicode. The guest was not entered.
    /// </exception>
    /// <exception cref="GuestErrorException">The guest answered with an error, for example for an unknown function or a wrong argument.</exception>
    /// <exception cref="ReturnTypeMismatchException">The guest returned another type.</exception>
    /// <exception cref="MessageTooLargeException">The arguments do not fit the input buffer.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="TResult"/> is not a type of the guest ABI.</exception>
    /// <exception cref="GuestAbortedException">The guest aborted. The sandbox is poisoned.</exception>
    /// <exception cref="ExecutionCanceledException">
    /// The call was ended: by its token, the <see cref="InterruptHandle"/>, or the sandbox's disposal. The sandbox is poisoned if
    /// the guest had been entered.
    /// </exception>
    /// <exception cref="BudgetExceededException">
    /// The call exceeded a limit of its budget or of the sandbox's; the error says which. The sandbox is poisoned if the guest had
    /// been entered.
    /// </exception>
    /// <exception cref="MemoryAccessViolationException">The guest left its memory. The sandbox is poisoned.</exception>
    /// <exception cref="UnexpectedVmExitException">The vCPU stopped for an unexpected reason. The sandbox is poisoned.</exception>
    /// <exception cref="GuestProtocolException">
    /// The guest broke the protocol. The sandbox is poisoned if that happened during the run, and not if its result was
    /// malformed or it left a corrupted buffer.
    /// </exception>
    /// <exception cref="HypervisorException">The hypervisor failed.</exception>
    /// <exception cref="HostMemoryException">The process has not enough memory for a message. The sandbox is poisoned if that happened during the run.</exception>
    /// <exception cref="InsufficientExecutionStackException">The calling thread's stack is nearly used up, by host functions that call other sandboxes.</exception>
    /// <exception cref="SandboxPoisonedException">An earlier failure poisoned the sandbox.</exception>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public TResult Call<TResult>(string functionName, params ReadOnlySpan<GuestValue> arguments) =>
        CallCore<TResult>(functionName, arguments, _limits, CancellationToken.None);

    /// <summary>Calls a guest function that returns a value, with a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public TResult Call<TResult>(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken) =>
        CallCore<TResult>(functionName, arguments, _limits, cancellationToken);

    /// <summary>Calls a guest function that returns a value, with a time limit and a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="timeout">
    /// How long the call may take, host functions included, in addition to the limits of <see
    /// cref="SandboxConfiguration.Budget"/>; at most 4,294,967,294 milliseconds (49.7 days), or <see
    /// cref="Timeout.InfiniteTimeSpan"/> for no further limit.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is zero, negative and not infinite, or too long.</exception>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public TResult Call<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallCore<TResult>(functionName, arguments, Limit(timeout), cancellationToken);

    /// <summary>Calls a guest function without a result. The result of a function that has one is discarded.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public void Call(string functionName, params ReadOnlySpan<GuestValue> arguments) =>
        Call<Unit>(functionName, arguments);

    /// <summary>Calls a guest function without a result, or discards it, with a token that can end the call.</summary>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public void Call(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken) =>
        Call<Unit>(functionName, arguments, cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, with a time limit and a token that can end the call.</summary>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public void Call(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Call<Unit>(functionName, arguments, timeout, cancellationToken);

    /// <summary>Calls a guest function that returns bytes, and copies these into the caller's memory. Nothing is allocated for them.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes.</param>
    /// <returns>The number of bytes that the function returned.</returns>
    /// <exception cref="DestinationTooSmallException">
    /// The bytes do not fit; the error says how many they are. The guest function has run; nothing was copied.
    /// </exception>
    /// <inheritdoc cref="Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public int CallInto(string functionName, Span<byte> destination, params ReadOnlySpan<GuestValue> arguments) =>
        CallCore<BytesWritten>(functionName, arguments, _limits, CancellationToken.None, destination).Count;

    /// <summary>Calls a guest function that returns bytes, and copies these into the caller's memory, with a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <inheritdoc cref="CallInto(string, Span{byte}, ReadOnlySpan{GuestValue})"/>
    public int CallInto(
        string functionName, Span<byte> destination, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken) =>
        CallCore<BytesWritten>(functionName, arguments, _limits, cancellationToken, destination).Count;

    /// <summary>
    /// Calls a guest function that returns bytes, and copies these into the caller's memory, with a time limit and a token that
    /// can end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes, such as <c>[1, 2]</c>.</param>
    /// <param name="timeout">
    /// How long the call may take, host functions included, in addition to the limits of <see
    /// cref="SandboxConfiguration.Budget"/>; at most 4,294,967,294 milliseconds (49.7 days), or <see
    /// cref="Timeout.InfiniteTimeSpan"/> for no further limit.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the call; the sandbox is poisoned then, unless the token was cancelled before the guest was entered.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is zero, negative and not infinite, or too long.</exception>
    /// <inheritdoc cref="CallInto(string, Span{byte}, ReadOnlySpan{GuestValue})"/>
    public int CallInto(
        string functionName,
        Span<byte> destination,
        ReadOnlySpan<GuestValue> arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken = default) =>
        CallCore<BytesWritten>(functionName, arguments, Limit(timeout), cancellationToken, destination).Count;

    private TResult CallCore<TResult>(
        string functionName,
        ReadOnlySpan<GuestValue> arguments,
        in BudgetLimits limits,
        CancellationToken cancellationToken,
        Span<byte> destination = default)
    {
        GuestCallLimits.Check(functionName, arguments.Length);
        CallObservation observation = _setup.Telemetry.BeginCall(functionName);
        if (observation.IsNone)
        {
            return CallUnobserved<TResult>(functionName, arguments, destination, limits, cancellationToken);
        }

        TResult result;
        try
        {
            result = CallUnobserved<TResult>(functionName, arguments, destination, limits, cancellationToken);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.Succeed();
        return result;
    }

    /// <summary>Calls a guest function without reporting the call; its exits and host calls are reported.</summary>
    internal TResult CallUnobserved<TResult>(
        string functionName,
        ReadOnlySpan<GuestValue> arguments,
        Span<byte> destination,
        in BudgetLimits limits,
        CancellationToken cancellationToken)
    {
        GuestValueType? resultType = CallResult.ExpectedType<TResult>();

        // Guests may make host functions call other sandboxes, and so on. A stack overflow would end the process.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        _gate.Enter("a call", this);
        try
        {
            BeginCall(limits, cancellationToken);
            try
            {
                Send(functionName, arguments, resultType);
                _runner.PrepareDispatch();
                Run(functionName, cancellationToken);
                return Receive<TResult>(functionName, resultType, destination);
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
        }
        finally
        {
            LeaveGate();
        }
    }

    private void BeginCall(in BudgetLimits limits, CancellationToken cancellationToken)
    {
        if (_poison is { } cause)
        {
            throw new SandboxPoisonedException(cause);
        }

        CallLimits.ThrowIfCancelled(cancellationToken);
        _unchangedSince = null;
        _runner.BeginCall(limits);
    }

    /// <summary>A call has failed. Whatever the guest left in the buffers must not be taken for a part of the next call.</summary>
    private void EndFailedCall()
    {
        _runner.Interrupts.Meter.End();
        _memory.Input.Reset();
        _memory.Output.Reset();
    }

    private void Send(string functionName, ReadOnlySpan<GuestValue> arguments, GuestValueType? expected)
    {
        // Guests do not look at the type that a caller expects, so one who takes any type can say that it expects none.
        GuestValueType resultType = expected ?? GuestValueType.Void;
        long length = FunctionCallEncoder.Encode(default, functionName, arguments, resultType);
        Span<byte> target = _memory.Input.Reserve(length, "The call of guest function", functionName, out int start);
        FunctionCallEncoder.Encode(target, functionName, arguments, resultType);
        _memory.Input.Commit(start, target.Length);
    }

    private void Run(string functionName, CancellationToken cancellationToken)
    {
        using Interrupter.Watch watch = _runner.Interrupts.Begin(cancellationToken);
        try
        {
            _runner.RunToHalt();
        }
        catch (Exception exception) when (_runner.HasEntered)
        {
            Poison(functionName, exception);
            throw;
        }
        finally
        {
            _setup.Output.Flush();
        }
    }

    /// <summary>Poisons the sandbox and logs that. The failure itself is the caller's to log, who has the exception.</summary>
    private void Poison(string functionName, Exception exception)
    {
        _poison = exception;
        _setup.Telemetry.RecordPoisoning(exception);
        string function = GuestText.Escape(functionName);
        if (exception is ExecutionCanceledException canceled)
        {
            SandboxLog.Ended(_setup.Logger, Id, function, canceled.Reason);
        }
        else
        {
            SandboxLog.Poisoned(_setup.Logger, Id, function, exception.GetType().Name);
        }
    }

    private TResult Receive<TResult>(string functionName, GuestValueType? expected, Span<byte> destination)
    {
        using SpanOwner<byte> message = _memory.Output.Pop();
        _memory.SettleBuffers();
        var result = new FunctionResultReader(message.Span);
        if (result.IsError)
        {
            HostFunctionFailure? failure = _runner.Ports.HostFunctionFailure;
            throw new GuestErrorException(
                functionName, result.ErrorCode, result.ErrorMessage, failure?.Exception, failure?.Description);
        }

        return expected is null || expected == result.ValueType
            ? CallResult.Read<TResult>(result, functionName, destination)
            : throw new ReturnTypeMismatchException(functionName, expected.Value, result.ValueType);
    }
}
