using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>Options of the KVM driver.</summary>
public sealed class KvmOptions
{
    /// <summary>
    /// The number of the signal that interrupts a running guest. Default: 23, <c>SIGURG</c>. It is sent to the thread that
    /// runs the guest, and only while that is inside <see cref="Abstractions.IVirtualMachine.Run"/>, where the thread blocks it. No handler is installed, no
    /// signal is left pending, and the thread's mask is put back, so child processes inherit nothing.
    /// </summary>
    /// <remarks>
    /// Choose another one if something in the process sends this one to its own threads. Allowed are 10 (<c>SIGUSR1</c>), 12
    /// (<c>SIGUSR2</c>), 16 (<c>SIGSTKFLT</c>), 23 (<c>SIGURG</c>), 30 (<c>SIGPWR</c>), and the real-time signals 35 to 64.
    /// Linux refuses to send real-time signals while the user's queue is full (<c>RLIMIT_SIGPENDING</c>), and a filter of
    /// system calls may refuse any. A guest is then interrupted by taking its memory away for a moment.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">It is none of these.</exception>
    public int CancellationSignal
    {
        get;
        init => field = KickSignal.IsUsable(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, "The signal must be 10, 12, 16, 23, 30, or from 35 to 64: others are used for something else.");
    }

    = KickSignal.Default.Number;
}
