using Hyperlight.Linux.Interop;

namespace Hyperlight.Linux;

/// <summary>
/// The signal that makes a vCPU leave its guest. It never gets a handler: it is blocked in a thread while that runs a vCPU,
/// except inside KVM_RUN, and is taken back from the pending set afterwards.
/// </summary>
/// <param name="Number">The signal's number.</param>
internal readonly record struct KickSignal(int Number)
{
    /// <summary>
    /// SIGURG. A standard signal is always sent, where a real-time signal is refused once the user's queue is full
    /// (RLIMIT_SIGPENDING): the kernel drops the sender's details instead. And the default action of this one is to do
    /// nothing.
    /// </summary>
    public static KickSignal Default => new(Signals.SIGURG);

    /// <summary>The set of this one signal.</summary>
    public ulong Set => 1UL << (Number - 1);

    /// <summary>
    /// Whether a signal can be used: one that neither the kernel sends for reasons of its own, nor the C library and the
    /// runtime use for themselves (those from 32 to 34), nor a user to end a process.
    /// </summary>
    public static bool IsUsable(int number) => number
        is Signals.SIGUSR1 or Signals.SIGUSR2 or Signals.SIGSTKFLT or Signals.SIGURG or Signals.SIGPWR
        or (>= Signals.FirstFreeRealTimeSignal and <= Signals.SIGRTMAX);
}
