using Hyperlight.Host.Diagnostics.Telemetry;

namespace Hyperlight;

/// <content>What the pool reports as metrics and activities.</content>
public sealed partial class SandboxPool
{
    private readonly PoolTelemetry _telemetry;

    private ValueTask<SandboxLease> Rent(string? key, CancellationToken cancellationToken)
    {
        Observation observation = _telemetry.BeginRent();
        if (observation.IsNone)
        {
            return RentUnobserved(key, cancellationToken);
        }

        try
        {
            return ObserveAsync(RentUnobserved(key, cancellationToken), observation);
        }
        finally
        {
            // The activity is current in the rent alone, not in what the caller does until it awaits the rent.
            observation.Detach();
        }
    }

    private static async ValueTask<SandboxLease> ObserveAsync(ValueTask<SandboxLease> rent, Observation observation)
    {
        SandboxLease lease;
        try
        {
            lease = await rent.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.Succeed();
        return lease;
    }
}
