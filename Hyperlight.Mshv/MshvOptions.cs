using Hyperlight.Linux;

namespace Hyperlight.Mshv;

/// <summary>How the MSHV driver works.</summary>
public sealed class MshvOptions
{
    /// <summary>
    /// The number of the signal that interrupts a running guest. Default: 23, <c>SIGURG</c>. It is sent to the thread that
    /// runs the guest, and only while that is inside <see cref="Abstractions.IVirtualMachine.Run"/>. The driver installs a handler that does
    /// nothing, unless the process has a handler for the signal already.
    /// </summary>
    /// <remarks>
    /// Unlike KVM, MSHV has no signal mask of its own: a thread that runs guests should not block this signal. If it does, the
    /// guest's memory is unmapped after 200 signals without effect, which ends the run too, about 0.2 seconds later. Allowed
    /// are 10 (<c>SIGUSR1</c>), 12 (<c>SIGUSR2</c>), 16 (<c>SIGSTKFLT</c>), 23 (<c>SIGURG</c>), 30 (<c>SIGPWR</c>), and
    /// the real-time signals 35 to 64.
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
