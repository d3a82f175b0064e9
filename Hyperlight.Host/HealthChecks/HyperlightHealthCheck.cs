using Hyperlight.Abstractions;
using Hyperlight.Host.Errors;
using Hyperlight.Host.Pools;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Hyperlight.Host.HealthChecks;

/// <summary>Checks the driver, the pools, and a call.</summary>
internal sealed class HyperlightHealthCheck(
    HyperlightHealthCheckOptions options, ISandboxFactory sandboxes, ISandboxPoolFactory pools, IEnumerable<RegisteredPool> others, TimeProvider time)
    : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var findings = new HealthFindings(context.Registration.FailureStatus);
        CheckDriver(findings);
        foreach (string name in pools.Names)
        {
            await CheckPoolAsync("pools", name, pools.GetPool(name), findings, cancellationToken).ConfigureAwait(false);
        }

        foreach (RegisteredPool other in others)
        {
            await CheckPoolAsync(other.Kind, other.Pool.Name, other.Pool, findings, cancellationToken).ConfigureAwait(false);
        }

        if (options.ProbeCall is { } probe)
        {
            await ProbeAsync(probe.Template, probe.Call, findings, cancellationToken).ConfigureAwait(false);
        }

        return findings.ToResult();
    }

    private void CheckDriver(HealthFindings findings)
    {
        try
        {
            HypervisorSelection selection = sandboxes.Hypervisor;
            findings.Data["driver"] = selection.Name;
            findings.Data["driver.reason"] = selection.Reason;
            if (selection.Remedy is { } remedy)
            {
                findings.Data["driver.remedy"] = remedy;
            }

            // The choice is kept; whether it can still be used, its probe says.
            HypervisorStatus status = selection.Hypervisor.Probe();
            if (!status.IsUsable)
            {
                findings.Unhealthy($"The hypervisor '{selection.Name}' cannot be used any more: {status.Reason} {status.Remedy}".TrimEnd());
            }
        }
        catch (HypervisorNotAvailableException exception)
        {
            findings.Unhealthy(exception.Message, exception);
        }
    }

    private static async Task CheckPoolAsync(
        string kind, string name, ISandboxPool pool, HealthFindings findings, CancellationToken cancellationToken)
    {
        if (pool.LastFailure is not null && pool.Statistics is { IsClosed: false, Size: 0 })
        {
            await TryAgainAsync(pool, cancellationToken).ConfigureAwait(false);
        }

        SandboxPoolStatistics state = pool.Statistics;
        string prefix = $"{kind}.{name}.";
        foreach ((string key, long value) in (ReadOnlySpan<(string, long)>)
        [
            ("size", state.Size), ("maximumSize", state.MaximumSize), ("idle", state.Idle), ("rented", state.Rented),
            ("creating", state.Creating), ("restoring", state.Restoring), ("retiring", state.Retiring), ("waiting", state.Waiting),
            ("queueLength", state.QueueLength),
            ("rents", state.Rents), ("creations", state.Creations), ("creationFailures", state.CreationFailures), ("restores", state.Restores),
            ("discards", state.Discards), ("rejections", state.Rejections), ("timeouts", state.Timeouts), ("lostLeases", state.LostLeases),
        ])
        {
            findings.Data[prefix + key] = value;
        }

        if (state.IsClosed)
        {
            findings.Unhealthy($"The pool '{name}' is closed.");
        }
        else if (pool.LastFailure is { } failure)
        {
            string problem = $"The pool '{name}' cannot create a sandbox: {ExceptionText.MessageOf(failure)}";
            if (state.Size > 0)
            {
                findings.Degraded($"{problem} It has {state.Size}.");
            }
            else
            {
                findings.Unhealthy(problem, failure);
            }
        }
        else if (state.QueueLength > 0 && state.Waiting >= state.QueueLength)
        {
            findings.Degraded($"The queue of the pool '{name}' is full: {state.Waiting} callers wait, and further ones are refused.");
        }
    }

    /// <summary>
    /// A pool that has no sandbox tries to create one for a caller. An application that is not healthy may have none, and would never
    /// find out that it can create sandboxes again.
    /// </summary>
    private static async Task TryAgainAsync(ISandboxPool pool, CancellationToken cancellationToken)
    {
        try
        {
            SandboxLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
            await lease.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HyperlightException or InvalidOperationException)
        {
            // The pool keeps its last failure, which the result has. A pool with state per key waits for a caller.
        }
    }

    private async Task ProbeAsync(
        string template, Func<SandboxLease, CancellationToken, Task> call, HealthFindings findings, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        try
        {
            SandboxLease lease = await pools.GetPool(template).RentAsync(cancellationToken).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                await call(lease, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is PoolQueueFullException or PoolTimeoutException)
        {
            findings.Degraded(exception.Message);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            findings.Unhealthy($"The call of a guest of '{template}' failed: {exception.Message}", exception);
        }

        findings.Data["probe.milliseconds"] = time.GetElapsedTime(start).TotalMilliseconds;
    }
}
