namespace Hyperlight.Samples.MockDriver;

/// <summary>A pool without a hypervisor: each lease is for the same sandbox, which a test mocks.</summary>
internal sealed class FakePool(ISandbox sandbox) : ISandboxPool
{
    public string Name => "fake";

    public SandboxPoolStatistics Statistics => new() { Rented = Rented };

    /// <summary>The leases that were not returned.</summary>
    public int Rented { get; private set; }

    /// <summary>What the next rent throws.</summary>
    public Exception? Failure { get; set; }

    public ValueTask<SandboxLease> RentAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Failure is { } failure)
        {
            throw failure;
        }

        Rented++;
        return ValueTask.FromResult(new SandboxLease(sandbox, returned: () => Rented--));
    }

    public ValueTask<SandboxLease> RentAsync(string key, CancellationToken cancellationToken = default) => RentAsync(cancellationToken);

    public Task ReloadAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
