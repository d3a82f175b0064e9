using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Linux;

/// <summary>The user's signal queue full (RLIMIT_SIGPENDING is 0) until this is disposed.</summary>
internal sealed unsafe class SignalQueueLimit : IDisposable
{
    private const int SYS_prlimit64 = 302;
    private const int RLIMIT_SIGPENDING = 11;

    private readonly (ulong Soft, ulong Hard) _former;

    public SignalQueueLimit()
    {
        _former = Exchange(null);
        Exchange((0, _former.Hard));
    }

    public void Dispose() => Exchange(_former);

    private static (ulong Soft, ulong Hard) Exchange((ulong Soft, ulong Hard)? limit)
    {
        (ulong Soft, ulong Hard) next = limit ?? default;
        (ulong Soft, ulong Hard) former = default;

        // SAFETY: both tuples have the layout of struct rlimit64, and the first one is optional.
        nint result = LibC.syscall(SYS_prlimit64, 0, RLIMIT_SIGPENDING, limit is null ? 0 : (nint)(&next), (nint)(&former));
        Assert.That((int)result, Is.Zero, "prlimit");
        return former;
    }
}
