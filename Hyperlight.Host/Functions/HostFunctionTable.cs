using System.Text;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Snapshots;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>
/// The host functions of one sandbox, by name. A failure that is the guest's to handle (unknown function, wrong arguments, an
/// exception of the function) becomes an error result; only a malformed message or a result that does not fit ends the run.
/// </summary>
internal sealed class HostFunctionTable
{
    private const int StackNameLength = 128;

    private readonly HostFunction? _default;
    private readonly SandboxTelemetry? _telemetry;
    private HostFunctionSet _functions;

    /// <summary>Creates the table.</summary>
    /// <param name="functions">The functions that are registered when the sandbox is built.</param>
    /// <param name="defaultFunction">One of them that the application has not registered, and can replace.</param>
    /// <param name="telemetry">Where calls are reported, if anywhere.</param>
    public HostFunctionTable(HostFunctionSet functions, HostFunction? defaultFunction = null, SandboxTelemetry? telemetry = null)
    {
        _functions = functions;
        _default = defaultFunction;
        _telemetry = telemetry;
    }

    private HostFunctionSet Functions => Volatile.Read(ref _functions);

    /// <summary>Adds a function.</summary>
    /// <exception cref="ArgumentException">There is one of the same name.</exception>
    public void Add(HostFunction function)
    {
        HostFunctionSet functions;
        do
        {
            functions = Functions;
            if (functions.Find(function.Name) is { } registered && !ReferenceEquals(registered, _default))
            {
                throw NameTaken(function, registered);
            }
        }
        while (!TryChange(functions, functions.With(function)));
    }

    /// <summary>Removes the function of a name.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Remove(string name)
    {
        HostFunctionSet functions;
        do
        {
            functions = Functions;
            if (functions.Find(name) is null)
            {
                return false;
            }
        }
        while (!TryChange(functions, functions.Without(name)));
        return true;
    }

    /// <summary>The error for a second function of a name.</summary>
    public static ArgumentException NameTaken(HostFunction function, HostFunction? registered) => new(
        $"The host function '{function.Name}' is already registered as {registered}. To replace it, call "
        + $"{nameof(IHostFunctionRegistrar.RemoveHostFunction)}(\"{function.Name}\") first.",
        nameof(function));

    /// <summary>The function of a name, or <see langword="null"/>.</summary>
    public HostFunction? Find(string name) => Functions.Find(name);

    /// <summary>The signatures of all functions, in order of their names.</summary>
    public IReadOnlyList<HostFunctionSignature> Signatures() =>
        [.. Functions.Functions.OrderBy(static f => f.Name, StringComparer.Ordinal).Select(HostFunctionSignature.Of)];

    /// <summary>Answers the call that the guest has put on the output buffer.</summary>
    /// <param name="message">The call.</param>
    /// <param name="input">Where the answer goes.</param>
    /// <param name="interrupts">What ends the function with the call in which it runs.</param>
    /// <returns>How the call failed, if it did, or what it waits for.</returns>
    /// <exception cref="BudgetExceededException">The guest prints more than it may.</exception>
    /// <exception cref="GuestProtocolException">The call is malformed.</exception>
    /// <exception cref="MessageTooLargeException">The answer does not fit the input buffer.</exception>
    public HostFunctionAnswer Answer(ReadOnlySpan<byte> message, SharedBuffer input, Interrupter interrupts)
    {
        var call = new FunctionCallReader(message);
        HostFunction? function = Find(call.Name);
        Observation observation = _telemetry?.BeginHostCall(function) ?? default;
        HostFunctionAnswer answer = observation.IsNone
            ? Answer(function, call, input, interrupts)
            : AnswerObserved(function, call, input, interrupts, observation);
        if (answer.Failure is { } failure)
        {
            HostFunctionErrorMessage.Write(input, FlatTable.DecodeUtf8(call.Name), failure.GuestText);
        }

        return answer;
    }

    /// <summary>Answers a call whose task has completed.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="input">Where the answer goes.</param>
    /// <param name="interrupts">What ends the call in which the function ran.</param>
    /// <returns>How the function failed, if it did.</returns>
    /// <exception cref="MessageTooLargeException">The answer does not fit the input buffer.</exception>
    public static HostFunctionFailure? Answer(PendingHostCall pending, SharedBuffer input, Interrupter interrupts)
    {
        HostFunctionFailure? failure;
        try
        {
            failure = SendResult(pending, input, interrupts);
        }
        catch (Exception exception)
        {
            pending.Observation.Fail(exception);
            throw;
        }

        End(pending.Observation, failure);
        return failure;
    }

    private static HostFunctionFailure? SendResult(PendingHostCall pending, SharedBuffer input, Interrupter interrupts)
    {
        // The arguments were read when the call began.
        var frame = new HostFunctionFrame(default, input, pending.Function, interrupts);
        try
        {
            pending.SendResult(ref frame);
            return null;
        }
        catch (Exception exception) when (frame.IsFailureOfFunction(exception))
        {
            HostFunctionFailure failure = HostFunctionFailure.Threw(pending.Function, exception);
            HostFunctionErrorMessage.Write(input, pending.Function.Name, failure.GuestText);
            return failure;
        }
    }

    private static HostFunctionAnswer Answer(
        HostFunction? function, FunctionCallReader call, SharedBuffer input, Interrupter interrupts) => function is not null
        ? Invoke(function, call, input, interrupts)
        : new HostFunctionAnswer(HostFunctionFailure.NotFound(FlatTable.DecodeUtf8(call.Name)));

    private static HostFunctionAnswer AnswerObserved(
        HostFunction? function, FunctionCallReader call, SharedBuffer input, Interrupter interrupts, Observation observation)
    {
        HostFunctionAnswer answer;
        try
        {
            answer = Answer(function, call, input, interrupts);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        if (answer.Pending is { } pending)
        {
            pending.Observation = observation;
            observation.Detach();
        }
        else
        {
            End(observation, answer.Failure);
        }

        return answer;
    }

    private static void End(Observation observation, HostFunctionFailure? failure)
    {
        if (failure?.Exception is { } exception)
        {
            observation.Fail(exception, Outcome.Error);
        }
        else
        {
            observation.End(failure is null ? Outcome.Ok : Outcome.Error);
        }
    }

    private static HostFunctionAnswer Invoke(
        HostFunction function, FunctionCallReader call, SharedBuffer input, Interrupter interrupts)
    {
        if (CheckArguments(function, call, input) is { } problem)
        {
            return new HostFunctionAnswer(problem);
        }

        if (function.IsPrint)
        {
            CountPrintedBytes(call, interrupts.Meter);
        }

        var frame = new HostFunctionFrame(call, input, function, interrupts);
        try
        {
            HostCallContext.Invoke(function, ref frame);
            return new HostFunctionAnswer(null, frame.Pending);
        }
        catch (Exception exception) when (frame.IsFailureOfFunction(exception))
        {
            return new HostFunctionAnswer(HostFunctionFailure.Threw(function, exception));
        }
    }

    /// <exception cref="BudgetExceededException">It is more than the guest may print.</exception>
    private static void CountPrintedBytes(FunctionCallReader call, CallMeter meter)
    {
        for (int i = 0; i < call.ParameterCount; i++)
        {
            if (call.GetParameterType(i) == GuestValueType.String)
            {
                meter.CountPrintedBytes(call.GetTextLength(i), hostFunctionError: null);
            }
        }
    }

    private static HostFunctionFailure? CheckArguments(HostFunction function, FunctionCallReader call, SharedBuffer input)
    {
        if (call.ParameterCount != function.Parameters.Length)
        {
            return HostFunctionFailure.WrongCount(function, call.ParameterCount);
        }

        for (int i = 0; i < call.ParameterCount; i++)
        {
            GuestValueType passed = call.GetParameterType(i);
            if (passed != function.Parameters[i])
            {
                string value = ArgumentText.Format(call, i, passed, input.MaximumMessageSize);
                return HostFunctionFailure.WrongType(function, i, passed, value);
            }
        }

        return null;
    }

    private HostFunction? Find(ReadOnlySpan<byte> utf8Name)
    {
        if (utf8Name.Length > StackNameLength)
        {
            return Find(FlatTable.DecodeUtf8(utf8Name));
        }

        // UTF-16 never has more code units than UTF-8 has bytes, so the name fits and no string is made of it.
        Span<char> name = stackalloc char[StackNameLength];
        return Encoding.UTF8.TryGetChars(utf8Name, name, out int length) ? Functions.Find(name[..length]) : null;
    }

    private bool TryChange(HostFunctionSet functions, HostFunctionSet changed) =>
        ReferenceEquals(Interlocked.CompareExchange(ref _functions, changed, functions), functions);
}
