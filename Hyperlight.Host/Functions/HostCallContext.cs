using Hyperlight.Host.Execution;
using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <summary>
/// The call of a host function, for code that has no parameter for it. A function that needs only the token can have a <see
/// cref="System.Threading.CancellationToken"/> as its last parameter.
/// </summary>
public sealed class HostCallContext
{
    private static readonly AsyncLocal<HostCallContext?> Flowing = new();

    /// <summary>The host function that this thread executes. An object for it is created only when it is asked for.</summary>
    [ThreadStatic]
    private static Invocation _invocation;

    private readonly Interrupter _interrupts;
    private readonly ulong _operation;

    private HostCallContext(HostFunction function, Interrupter interrupts)
    {
        FunctionName = function.Name;
        _interrupts = interrupts;
        _operation = interrupts.Operation;
    }

    /// <summary>
    /// The host function that is executing; <see langword="null"/> outside of host functions. It flows with the asynchronous code
    /// of a host function that returns a task. It does not flow to work that another function starts on other threads.
    /// </summary>
    public static HostCallContext? Current
    {
        get
        {
            HostCallContext? flowing = Flowing.Value;

            // Asynchronous code of one function may continue within another one, on the thread that completes what it waits for.
            return _invocation.Function is { } function && ReferenceEquals(_invocation.Flowing, flowing)
                ? _invocation.Context ??= new HostCallContext(function, _invocation.Interrupts!)
                : flowing;
        }
    }

    /// <summary>The name by which the guest called the function.</summary>
    public string FunctionName { get; }

    /// <summary>A token that is cancelled when the call of the guest is ended, and after it has ended.</summary>
    public CancellationToken CancellationToken => _interrupts.GetHostFunctionToken(_operation);

    /// <summary>What the call of the guest has used so far; nothing, if it has ended.</summary>
    public CallStatistics Used => _interrupts.IsInProgress(_operation) ? _interrupts.Meter.Statistics : default;

    /// <summary>Executes a function.</summary>
    internal static void Invoke(HostFunction function, ref HostFunctionFrame frame)
    {
        Invocation outer = _invocation;
        HostCallContext? outerFlowing = Flowing.Value;
        HostCallContext? context = null;
        if (function.IsAsynchronous)
        {
            // What runs after the function has returned its task cannot find out any more which one it was.
            context = new HostCallContext(function, frame.Interrupts);
            Flowing.Value = context;
        }

        _invocation = new Invocation(function, frame.Interrupts, context ?? outerFlowing) { Context = context };
        try
        {
            function.Execute(ref frame);
        }
        finally
        {
            _invocation = outer;
            if (context is not null)
            {
                Flowing.Value = outerFlowing;
            }
        }
    }

    /// <summary>A function that a thread executes.</summary>
    /// <param name="Function">The function.</param>
    /// <param name="Interrupts">What ends the call.</param>
    /// <param name="Flowing">The context that flows while the function executes.</param>
    private record struct Invocation(HostFunction? Function, Interrupter? Interrupts, HostCallContext? Flowing)
    {
        /// <summary>The context, if it was asked for.</summary>
        public HostCallContext? Context { get; set; }
    }
}
