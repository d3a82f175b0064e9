using System.Runtime.CompilerServices;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>One thread that does random things with leases of a pool.</summary>
internal sealed class ModelCaller(ModelPool model, Random random)
{
    private readonly List<Held> _held = [];

    public void Run(int operations)
    {
        for (int i = 0; i < operations; i++)
        {
            Step(random.Next(1000));
        }

        while (_held.Count > 0)
        {
            Return();
        }
    }

    private void Step(int choice)
    {
        switch (choice)
        {
            case < 350:
                Rent(cancel: false);
                break;
            case < 400:
                Rent(cancel: true);
                break;
            case < 580 when _held.Count > 0:
                Call(Pick());
                break;
            case < 610 when _held.Count > 0:
                Fail(Pick(), "Crash", ModelAction.Crash);
                break;
            case < 630 when _held.Count > 0:
                Fail(Pick(), "Exceed", ModelAction.ExceedBudget);
                break;
            case < 640 when _held.Count > 0:
                Cancel(Pick());
                break;
            case < 650 when _held.Count > 0:
                ReturnDuringCall();
                break;
            case < 670 when _held.Count > 0:
                Restore(Pick());
                break;
            case < 680 when _held.Count > 0:
                Held held = Pick();
                held.Lease.WithHostFunction($"Secret{held.Mark}", static () => 1);
                model.Actions.Count(ModelAction.AddHostFunction);
                break;
            case < 685 when _held.Count > 0:
                Drop();
                break;
            case < 710 when _held.Count > 0:
                Share();
                break;
            case < 730 when model.Shared.TryTake(out SandboxLease? lease):
                lease.Dispose();
                break;
            case 730:
                Ignore(() => model.Pool.ReloadAsync().Wait());
                model.Actions.Count(ModelAction.Reload);
                break;
            case 731:
                Ignore(() => model.Pool.WarmUpAsync().Wait());
                break;
            case 732 when model.ClosesEarly:
                model.Pool.Dispose();
                model.Actions.Count(ModelAction.Dispose);
                break;
            case 733 when model.ClosesEarly:
                model.Pool.DisposeAsync().AsTask().Wait(TimeSpan.FromMilliseconds(1));
                model.Actions.Count(ModelAction.Dispose);
                break;
            default:
                Return();
                break;
        }
    }

    private void Rent(bool cancel)
    {
        using var source = new CancellationTokenSource();
        string? key = model.Options.Isolation == SandboxIsolation.KeepStatePerKey ? $"key {random.Next(6)}" : null;
        ValueTask<SandboxLease> rent = key is null ? model.Pool.RentAsync(source.Token) : model.Pool.RentAsync(key, source.Token);
        if (cancel)
        {
            source.Cancel();
        }
        else if (!rent.IsCompleted)
        {
            // Others may wait for what this thread holds, and it must not wait for them with it.
            while (_held.Count > random.Next(2) * random.Next(2))
            {
                Return();
            }
        }

        try
        {
            SandboxLease lease = rent.AsTask().GetAwaiter().GetResult();
            model.Actions.Count(ModelAction.Rent);
            _held.Add(new Held(lease, key is null ? model.NextMark() : key.GetHashCode(StringComparison.Ordinal) | 1));
        }
        catch (Exception exception) when (exception is OperationCanceledException or PoolTimeoutException or PoolQueueFullException
            or PoolClosedException or PoolCreationException)
        {
            // All of these may happen, and none may lose a sandbox.
            model.Actions.Count(exception is OperationCanceledException ? ModelAction.CancelRent : ModelAction.FailToRent);
        }
    }

    private void Call(Held held)
    {
        if (held.IsCrashed || model.Options.Isolation == SandboxIsolation.None)
        {
            return;
        }

        model.Actions.Count(ModelAction.Call);
        IgnoreClosed(() => held.Lease.Call<long>("Mark", held.Mark));
    }

    /// <summary>The guest crashes, or exceeds its budget.</summary>
    private void Fail(Held held, string function, ModelAction action)
    {
        if (!held.IsCrashed)
        {
            held.IsCrashed = true;
            model.Actions.Count(action);
            try
            {
                IgnoreClosed(() => held.Lease.Call<long>(function));
            }
            catch (Exception exception) when (exception is GuestErrorException or BudgetExceededException)
            {
                // As it should.
            }
        }
    }

    /// <summary>A call that waits for an asynchronous host function is cancelled.</summary>
    private void Cancel(Held held)
    {
        if (!held.IsCrashed)
        {
            held.IsCrashed = true;
            model.Actions.Count(ModelAction.CancelCall);
            using var source = new CancellationTokenSource();
            Task call = held.Lease.CallAsync<long>("Park", [], source.Token);
            source.Cancel();
            EndParked(call);
        }
    }

    /// <summary>The lease is returned while a call waits for an asynchronous host function.</summary>
    private void ReturnDuringCall()
    {
        Held held = Remove();
        Task? call = held.IsCrashed ? null : held.Lease.CallAsync<long>("Park", [], CancellationToken.None);
        held.Lease.Dispose();
        if (call is not null)
        {
            model.Actions.Count(ModelAction.ReturnDuringCall);
            EndParked(call);
        }
    }

    /// <summary>The caller itself restores the sandbox, also one that has failed.</summary>
    private void Restore(Held held)
    {
        IgnoreClosed(() =>
        {
            held.Lease.Restore(null!);
            held.IsCrashed = false;
            model.Actions.Count(ModelAction.Restore);
        });
    }

    /// <summary>A lease that is never returned.</summary>
    private void Drop()
    {
        Remove();
        model.Actions.Count(ModelAction.Drop);
        if (random.Next(2) == 0)
        {
            GC.Collect(1);
        }
    }

    /// <summary>Another thread returns the lease while this one calls.</summary>
    private void Share()
    {
        Held held = Remove();
        model.Shared.Add(held.Lease);
        Call(held);
        Call(held);
    }

    private void Return()
    {
        if (_held.Count > 0)
        {
            Remove().Lease.Dispose();
            model.Actions.Count(ModelAction.Return);
        }
    }

    private Held Pick() => _held[random.Next(_held.Count)];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Held Remove()
    {
        int index = random.Next(_held.Count);
        Held held = _held[index];
        _held.RemoveAt(index);
        return held;
    }

    /// <summary>The call has to end, soon.</summary>
    private static void EndParked(Task call)
    {
        try
        {
            call.WaitAsync(TimeSpan.FromMinutes(2)).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is ExecutionCanceledException or ObjectDisposedException)
        {
            // As it should, or the pool was closed before.
        }
    }

    private static void IgnoreClosed(Action call)
    {
        try
        {
            call();
        }
        catch (ObjectDisposedException)
        {
            // Another thread has returned the lease, or the pool was closed and has ended it.
        }
    }

    private static void Ignore(Action action)
    {
        try
        {
            action();
        }
        catch (AggregateException exception) when (exception.InnerException is PoolClosedException or PoolCreationException)
        {
            // A creation has failed, as it may.
        }
    }

    private sealed class Held(SandboxLease lease, long mark)
    {
        public SandboxLease Lease => lease;

        public long Mark => mark;

        public bool IsCrashed { get; set; }
    }
}
