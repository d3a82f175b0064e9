namespace Hyperlight.Tests.Soak;

/// <summary>Calls that poison a sandbox. It stays, to be restored, disposed or dropped.</summary>
internal static class EndActions
{
    private const ulong NothingIsMappedHere = 0x7000_0000;

    private static readonly (string Function, GuestValue[] Arguments, Type Error)[] Crashes =
    [
        ("NullWrite", [], typeof(GuestAbortedException)),
        ("Abort", [], typeof(GuestAbortedException)),
        ("DivideByZero", [], typeof(GuestAbortedException)),
        ("StackOverflow", [], typeof(GuestAbortedException)),
        ("ExhaustHeap", [], typeof(GuestAbortedException)),
        ("InvalidOpcode", [], typeof(GuestAbortedException)),
        ("TripleFault", [], typeof(UnexpectedVmExitException)),
        ("MapAndRead", [NothingIsMappedHere], typeof(MemoryAccessViolationException)),
        ("MapAndWrite", [NothingIsMappedHere, 1UL], typeof(MemoryAccessViolationException)),
        ("InPort", [0x60], typeof(GuestProtocolException)),
    ];

    public static void Crash(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        (string function, GuestValue[] arguments, Type error) = worker.Pick(Crashes);
        HyperlightException exception = SoakFailure.Expect<HyperlightException>(() => tenant.Sandbox.Call(function, arguments), function);
        SoakFailure.Check(exception.GetType(), error, $"What {function} ends with ({exception.Message})");
        CheckPoisoned(tenant);
    }

    public static void CancelByToken(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(worker.Random.Next(1, 10)));
        try
        {
            tenant.Sandbox.Call("SpinForever", [], source.Token);
            throw new SoakFailure("An endless call returned.");
        }
        catch (OperationCanceledException)
        {
            // Too early, and the guest was not entered; or too late for that.
            SoakFailure.Check(source.IsCancellationRequested, true, "Whether the token was cancelled");
        }
    }

    /// <summary>A request counts only for a call in progress, so it is repeated until it meets one.</summary>
    public static void CancelByHandle(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        using var ended = new CancellationTokenSource();
        Task cancel = Later(worker, () =>
        {
            while (!tenant.Sandbox.InterruptHandle.Cancel() && !ended.IsCancellationRequested)
            {
                Thread.Yield();
            }
        });
        SoakFailure.Expect<ExecutionCanceledException>(() => tenant.Sandbox.Call("SpinForever"), "An endless call");
        ended.Cancel();
        cancel.Wait();
        CheckCancelled(tenant);
    }

    /// <summary>The call either completes with the right answer or is cancelled, and the next one is not.</summary>
    public static void CancelAroundShortCall(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        Task cancel = Later(worker, () => tenant.Sandbox.InterruptHandle.Cancel());
        bool isCancelled = false;
        try
        {
            SoakFailure.Check(tenant.Sandbox.Call<long>("SpinTimes", 200L), 200L, "The result of a short call");
        }
        catch (ExecutionCanceledException)
        {
            isCancelled = true;
        }
        finally
        {
            cancel.Wait();
        }

        if (isCancelled)
        {
            CheckCancelled(tenant);
        }
        else
        {
            tenant.Count();
        }
    }

    /// <summary>Does something on another thread after a random time of at most a millisecond.</summary>
    public static Task Later(SoakWorker worker, Action action)
    {
        int spins = worker.Random.Next(20_000);
        return Task.Run(() =>
        {
            Thread.SpinWait(spins);
            action();
        });
    }

    /// <summary>A cancelled call poisons the sandbox if the guest had been entered. Otherwise the sandbox goes on as if there had been no call.</summary>
    private static void CheckCancelled(Tenant tenant)
    {
        if (tenant.IsPoisoned)
        {
            CheckPoisoned(tenant);
        }
        else
        {
            tenant.Count();
        }
    }

    private static void CheckPoisoned(Tenant tenant)
    {
        SoakFailure.Check(tenant.IsPoisoned, true, "Whether the sandbox is poisoned");
        SoakFailure.Expect<SandboxPoisonedException>(() => tenant.Sandbox.Call<int>("Add", 1, 2), "A call of a poisoned sandbox");
    }
}
