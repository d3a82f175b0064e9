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
            case < 600 when _held.Count > 0:
                Call(Pick());
                break;
            case < 640 when _held.Count > 0:
                Fail(Pick(), random.Next(2) == 0 ? "Crash" : "Exceed");
                break;
            case < 650 when _held.Count > 0:
                Held held = Pick();
                held.Lease.WithHostFunction($"Secret{held.Mark}", static () => 1);
                break;
            case < 655 when _held.Count > 0:
                Drop();
                break;
            case < 680 when _held.Count > 0:
                Share();
                break;
            case < 700 when model.Shared.TryTake(out SandboxLease? lease):
                lease.Dispose();
                break;
            case 700:
                Ignore(() => model.Pool.ReloadAsync().Wait());
                break;
            case 701:
                Ignore(() => model.Pool.WarmUpAsync().Wait());
                break;
            case 702 when model.ClosesEarly:
                model.Pool.Dispose();
                break;
            case 703 when model.ClosesEarly:
                model.Pool.DisposeAsync().AsTask().Wait(TimeSpan.FromMilliseconds(1));
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
            _held.Add(new Held(lease, key is null ? model.NextMark() : key.GetHashCode(StringComparison.Ordinal) | 1));
        }
        catch (Exception exception) when (exception is OperationCanceledException or PoolTimeoutException or PoolQueueFullException
            or PoolClosedException or PoolCreationException)
        {
            // All of these may happen, and none may lose a sandbox.
        }
    }

    private void Call(Held held)
    {
        if (held.IsCrashed || model.Options.Isolation == SandboxIsolation.None)
        {
            return;
        }

        IgnoreClosed(() => held.Lease.Call<long>("Mark", held.Mark));
    }

    /// <summary>The guest crashes, or exceeds its budget.</summary>
    private void Fail(Held held, string function)
    {
        if (!held.IsCrashed)
        {
            held.IsCrashed = true;
            Interlocked.Increment(ref (function == "Crash" ? ref model.Crashes : ref model.BudgetsExceeded));
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

    /// <summary>A lease that is never returned.</summary>
    private void Drop()
    {
        Remove();
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
