namespace Hyperlight.Host.Pools;

/// <summary>How many sandboxes of a pool are in which state, how many can exist, and how many callers wait, at one moment.</summary>
internal readonly record struct PoolState(int Idle, int Rented, int Creating, int Restoring, int Retiring, int Maximum, int Waiting)
{
    public static PoolState operator +(PoolState a, PoolState b) => new(
        a.Idle + b.Idle,
        a.Rented + b.Rented,
        a.Creating + b.Creating,
        a.Restoring + b.Restoring,
        a.Retiring + b.Retiring,
        a.Maximum + b.Maximum,
        a.Waiting + b.Waiting);
}
