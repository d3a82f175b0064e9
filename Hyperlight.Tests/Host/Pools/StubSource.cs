using System.Collections.Concurrent;
using Hyperlight.Host.Pools;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>Creates stubs, and fails when a test says so. As a template it loads itself, or its successor.</summary>
internal sealed class StubSource(StubCounters counters) : ISandboxTemplate, ISandboxSource
{
    public StubSource()
        : this(new StubCounters())
    {
    }

    /// <summary>What went wrong in the pool.</summary>
    public ConcurrentQueue<string> Violations => counters.Violations;

    /// <summary>The most sandboxes that existed at a time.</summary>
    public int MostAlive => counters.MostAlive;

    /// <summary>The sandboxes that exist.</summary>
    public int Alive => counters.Alive;

    public int Loads { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>What the next loads throw.</summary>
    public Exception? LoadFailure { get; set; }

    /// <summary>Is called in each load.</summary>
    public Action LoadDelay { get; set; } = static () => { };

    /// <summary>Whether a creation fails.</summary>
    public Func<bool> FailsToCreate { get; set; } = static () => false;

    /// <summary>Whether a restore fails.</summary>
    public Func<bool> FailsToRestore { get; set; } = static () => false;

    /// <summary>Whether a sandbox is not usable after a restore that does not fail.</summary>
    public bool StaysPoisoned { get; set; }

    /// <summary>Is called in each creation and restore.</summary>
    public Action Delay { get; set; } = static () => { };

    /// <summary>Whether a sandbox that is disposed during a call is released when the call ends, and not at once.</summary>
    public bool ReleasesAfterCalls { get; set; }

    /// <summary>What a reload gives.</summary>
    public StubSource? Successor { get; set; }

    /// <summary>Is released by a call of "Wait", which then waits for <see cref="Continue"/>.</summary>
    public SemaphoreSlim Started { get; } = new(0);

    public SemaphoreSlim Continue { get; } = new(0);

    public List<StubSandbox> Sandboxes { get; } = [];

    /// <summary>The thread of the last restore.</summary>
    public int RestoringThread { get; private set; }

    public ISandboxSource Load(CancellationToken cancellationToken)
    {
        LoadDelay();
        StubSource source = Loads > 0 ? Successor ?? this : this;
        Loads++;
        return LoadFailure is { } failure ? throw failure : source;
    }

    public ISandbox Create(LeaseServices services, CancellationToken cancellationToken)
    {
        Delay();
        Check(!IsDisposed, "a sandbox was created from a source that was disposed");
        if (FailsToCreate())
        {
            throw new InvalidOperationException("There is no memory.");
        }

        var sandbox = new StubSandbox(this, counters.Created());
        lock (Sandboxes)
        {
            if (Sandboxes.Count < 100)
            {
                Sandboxes.Add(sandbox);
            }
        }

        return sandbox;
    }

    public void Restore(ISandbox sandbox)
    {
        Delay();
        var stub = (StubSandbox)sandbox;
        Check(ReferenceEquals(stub.Source, this), "a sandbox was restored by another source");
        if (FailsToRestore())
        {
            throw new InvalidOperationException("The hypervisor refused.");
        }

        RestoringThread = Environment.CurrentManagedThreadId;
        stub.Clean();
    }

    /// <summary>What a disposal throws.</summary>
    public Exception? DisposeFailure { get; set; }

    public void Dispose()
    {
        IsDisposed = true;
        if (DisposeFailure is { } failure)
        {
            throw failure;
        }
    }

    public void Disposed() => counters.Disposed();

    public void Check(bool isRight, string violation)
    {
        if (!isRight)
        {
            Violations.Enqueue(violation);
        }
    }
}
