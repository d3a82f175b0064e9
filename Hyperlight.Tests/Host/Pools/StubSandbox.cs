using Hyperlight.Host.Sandboxes;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>A sandbox without a guest that notices what a pool must never do.</summary>
internal sealed class StubSandbox(StubSource source, long id) : ISandbox, IReleasable
{
    private readonly Lock _lock = new();

    /// <summary>Ends a call that is parked when the sandbox is disposed.</summary>
    private readonly CancellationTokenSource _disposal = new();

    private bool _inCall;
    private bool _isDisposed;
    private Action? _whenReleased;

    /// <summary>The number that the last call left in the guest; 0 if it is clean.</summary>
    public long Mark { get; private set; }

    /// <summary>Host functions that were registered after the creation.</summary>
    public List<string> Functions { get; } = [];

    public long Id => id;

    public HypervisorSelection Hypervisor => throw new NotSupportedException();

    public SandboxStatus Status { get; private set; }

    public bool IsDisposed => _isDisposed;

    public StubSource Source => source;

    public TResult Call<TResult>(string functionName, params GuestValue[] arguments)
    {
        BeginCall();
        try
        {
            return (TResult)(object)Run(functionName, arguments.Length > 0 ? arguments[0].AsInt64() : 0);
        }
        finally
        {
            EndCall();
        }
    }

    public TResult Call<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, arguments);

    public TResult Call<TResult>(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, arguments);

    public void Call(string functionName, params GuestValue[] arguments) => Call<long>(functionName, arguments);

    public void Call(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) => Call<long>(functionName, arguments);

    public void Call(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call<long>(functionName, arguments);

    public int CallInto(string functionName, Memory<byte> destination, params GuestValue[] arguments) => throw new NotSupportedException();

    public int CallInto(string functionName, Memory<byte> destination, GuestValue[] arguments, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public int CallInto(
        string functionName, Memory<byte> destination, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<TResult> CallAsync<TResult>(string functionName, params GuestValue[] arguments) =>
        Task.Run(() => Call<TResult>(functionName, arguments));

    /// <summary>A call of "Park" waits without a thread until its token is cancelled or the sandbox is disposed.</summary>
    public Task<TResult> CallAsync<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        functionName == "Park" ? ParkAsync<TResult>(cancellationToken) : CallAsync<TResult>(functionName, arguments);

    public Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync<TResult>(functionName, arguments);

    public Task CallAsync(string functionName, params GuestValue[] arguments) => CallAsync<long>(functionName, arguments);

    public Task CallAsync(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync<long>(functionName, arguments);

    public Task CallAsync(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync<long>(functionName, arguments);

    public CallStatistics LastCall => default;

    public TResult Call<TResult>(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, arguments);

    public void Call(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call<long>(functionName, arguments);

    public int CallInto(
        string functionName, Memory<byte> destination, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        CallAsync<TResult>(functionName, arguments);

    public Task CallAsync(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        CallAsync<long>(functionName, arguments);

    public Snapshot TakeSnapshot() => throw new NotSupportedException();

    public void Restore(Snapshot snapshot)
    {
        BeginCall(isRestore: true);
        Mark = 0;
        Status = SandboxStatus.Ready;
        EndCall();
    }

    public void AddHostFunction(HostFunction hostFunction) => Functions.Add(hostFunction.Name);

    public bool RemoveHostFunction(string name) => Functions.Remove(name);

    /// <summary>What the source does to make it clean.</summary>
    public void Clean()
    {
        source.Check(!_isDisposed, "a disposed sandbox was restored");
        source.Check(!Volatile.Read(ref _inCall), "a sandbox was restored during a call");
        Mark = 0;
        Status = source.StaysPoisoned ? SandboxStatus.Poisoned : SandboxStatus.Ready;
    }

    public void Dispose()
    {
        bool isReleased;
        lock (_lock)
        {
            source.Check(!_isDisposed, "a sandbox was disposed twice");
            _isDisposed = true;
            isReleased = !_inCall || !source.ReleasesAfterCalls;
        }

        if (isReleased)
        {
            Release();
        }

        _disposal.Cancel();
    }

    void IReleasable.WhenReleased(Action action)
    {
        if (Interlocked.CompareExchange(ref _whenReleased, action, null) is not null)
        {
            action();
        }
    }

    private void BeginCall(bool isRestore = false)
    {
        lock (_lock)
        {
            if (_inCall)
            {
                throw new SandboxInUseException("a call");
            }

            ObjectDisposedException.ThrowIf(_isDisposed, this);
            source.Check(isRestore || Status == SandboxStatus.Ready, "a poisoned sandbox was called");
            _inCall = true;
        }
    }

    private void EndCall()
    {
        bool isReleased;
        lock (_lock)
        {
            _inCall = false;
            isReleased = _isDisposed && source.ReleasesAfterCalls;
        }

        if (isReleased)
        {
            Release();
        }
    }

    private void Release()
    {
        source.Disposed();
        Interlocked.Exchange(ref _whenReleased, static () => { })?.Invoke();
    }

    private async Task<TResult> ParkAsync<TResult>(CancellationToken cancellationToken)
    {
        BeginCall();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposal.Token);
        var ended = new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = either.Token.Register(() => ended.SetException(
            cancellationToken.IsCancellationRequested
                ? new ExecutionCanceledException(cancellationToken)
                : new ExecutionCanceledException(CancellationReason.Disposal)));
        try
        {
            return await ended.Task;
        }
        finally
        {
            Status = SandboxStatus.Poisoned;
            EndCall();
        }
    }

    private long Run(string function, long argument)
    {
        switch (function)
        {
            case "Mark":
                source.Check(Mark == 0 || Mark == argument, "a guest saw the state of another lease");
                source.Check(Functions.TrueForAll(name => name == $"Secret{argument}"), "a guest has a host function of another lease");
                return Mark = argument;
            case "Read":
                return Mark;
            case "Crash":
                Status = SandboxStatus.Poisoned;
                throw new GuestErrorException("Crash", 0, "The guest crashed.");
            case "Exceed":
                Status = SandboxStatus.Poisoned;
                throw new BudgetExceededException(BudgetKind.HostCalls, 1, 2);
            case "Wait":
                source.Started.Release();
                source.Continue.Wait();
                return 0;
            default:
                throw new ArgumentException(function, nameof(function));
        }
    }
}
