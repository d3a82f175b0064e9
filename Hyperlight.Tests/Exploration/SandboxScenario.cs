using Hyperlight.Abstractions;
using Hyperlight.Host.Execution;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Exploration;

/// <summary>
/// Threads that use one sandbox. Its guest runs until it is cancelled; if no thread can cancel it any more it answers, and
/// the scenario says whether that was right.
/// </summary>
internal sealed class SandboxScenario : IScenario
{
    private const string MachineState = "machine";

    private readonly ScriptedMachine _guest = new();
    private readonly Func<SandboxScenario, IReadOnlyList<Action>> _threads;
    private readonly Func<SandboxScenario, string?> _check;
    private bool _isInitialised;
    private bool _isCancelled;
    private int _hostCallsLeft;
    private int _machinesDisposed;

    /// <param name="threads">What each thread does.</param>
    /// <param name="check">Says what is wrong afterwards, besides what is wrong in every scenario.</param>
    public SandboxScenario(Func<SandboxScenario, IReadOnlyList<Action>> threads, Func<SandboxScenario, string?> check)
    {
        _threads = threads;
        _check = check;
        _guest.Machine.Setup(m => m.Run()).Returns(Run);
        _guest.Machine.Setup(m => m.GetGeneralRegisters())
            .Returns(new GeneralRegisters { Rax = ScriptedMachine.DispatchAddress, Rsp = ScriptedMachine.StackPointer });
        _guest.Machine.Setup(m => m.Dispose()).Callback(() => _machinesDisposed++);
        _guest.Machine.Setup(m => m.Cancel()).Callback(() =>
        {
            Explorer.Point(MachineState, true);
            _isCancelled = true;
        });
    }

    public MultiUseSandbox Sandbox { get; private set; } = null!;

    public CancellationTokenSource Source { get; private set; } = new();

    /// <summary>How each call ended: with null if it was answered.</summary>
    public List<Exception?> Calls { get; } = [];

    /// <summary>What <see cref="InterruptHandle.Cancel"/> returned.</summary>
    public bool? HandleResult { get; private set; }

    /// <summary>How many time limits were told that they ended.</summary>
    public int ExpiredLimits { get; private set; }

    /// <summary>Whether a guest or a host function was left waiting: no thread could end it any more.</summary>
    public bool IsLeftWaiting { get; private set; }

    /// <summary>Whether the guest answers at once, instead of waiting for a cancellation.</summary>
    public bool AnswersAtOnce { get; set; }

    public IReadOnlyList<Action> Begin()
    {
        _guest.Forget();
        _guest.Regions.Clear();
        _guest.RegistersSet.Clear();
        _guest.Machine.Invocations.Clear();
        _guest.Hypervisor.Invocations.Clear();
        _isInitialised = _isCancelled = IsLeftWaiting = AnswersAtOnce = false;
        _machinesDisposed = _hostCallsLeft = ExpiredLimits = 0;
        HandleResult = null;
        Calls.Clear();
        Source = new CancellationTokenSource();
        Sandbox = _guest.Builder().Build();
        return _threads(this);
    }

    public string? End()
    {
        string? problem = _check(this);
        if (Sandbox.Status == SandboxStatus.Disposed && (_machinesDisposed != 1 || !_guest.AllReleased))
        {
            problem ??= $"A disposed sandbox released its machine {_machinesDisposed} times, and its memory: {_guest.AllReleased}.";
        }

        if (Sandbox.Status == SandboxStatus.Ready)
        {
            // A request that came too late for its call must not end this one.
            AnswersAtOnce = true;
            Call();
            problem ??= Calls[^1] is { } failure ? $"The call after all threads had ended failed: {failure.Message}" : null;
        }

        Sandbox.Dispose();
        return problem;
    }

    public void Call() => Record(() => Sandbox.Call<int>("f"));

    public void CallWithToken() => Record(() => Sandbox.Call<int>("f", [], Source.Token));

    public void CallWithLimit() => Record(() => Sandbox.Call<int>("f", [], TimeSpan.FromHours(1)));

    /// <summary>The guest calls a host function, which waits until its token is cancelled.</summary>
    public void CallWithHostFunction() => Record(() =>
    {
        _hostCallsLeft = 1;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            IsLeftWaiting |= !Explorer.Wait("token", () => token.IsCancellationRequested);
            return a + b;
        });
        Sandbox.Call<int>("f");
    });

    public void CancelByHandle() => HandleResult = Sandbox.InterruptHandle.Cancel();

    public void CancelToken() => Explorer.Cancel(Source);

    /// <summary>The time limits of all calls end, as the timer's thread tells them.</summary>
    public void ExpireLimits()
    {
        var due = new List<(Deadline, ulong)>();
        DeadlineTimer.Shared.ExpireDue(long.MaxValue, due);
        ExpiredLimits = due.Count;
    }

    public void Dispose() => Sandbox.Dispose();

    /// <summary>An operation that does not run the guest.</summary>
    public void ReadMappings()
    {
        try
        {
            _ = Sandbox.Mappings;
        }
        catch (ObjectDisposedException)
        {
            // As it should be after a dispose.
        }
    }

    private void Record(Action call)
    {
        Exception? failure = null;
        try
        {
            call();
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (Calls)
        {
            Calls.Add(failure);
        }
    }

    private VmExit Run()
    {
        if (!_isInitialised)
        {
            _isInitialised = true;
            return ScriptedMachine.Halt;
        }

        if (_hostCallsLeft-- > 0)
        {
            _guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        }

        // As a driver does it: a request that is pending ends the run at once, also one that came before it.
        bool isEnded = AnswersAtOnce ? IsCancelled() : Explorer.Wait(MachineState, () => _isCancelled);
        if (isEnded)
        {
            _isCancelled = false;
            return VmExit.Cancelled;
        }

        IsLeftWaiting |= !AnswersAtOnce;
        _guest.PushOutput(GoldenVectors.IntResult);
        return ScriptedMachine.Halt;
    }

    private bool IsCancelled()
    {
        Explorer.Point(MachineState, true);
        return _isCancelled;
    }
}
