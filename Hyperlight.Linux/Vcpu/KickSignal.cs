using Hyperlight.Linux.Interop;

namespace Hyperlight.Linux;

/// <summary>
/// The signal that makes a vCPU leave its guest. It never gets a handler: it stays blocked in every thread that runs vCPUs,
/// except inside KVM_RUN, and is taken back from the pending set afterwards.
/// </summary>
internal static class KickSignal
{
    /// <summary>
    /// A real-time signal near the top. CoreCLR uses SIGRTMIN for itself, the C libraries use those just below it, and
    /// Valgrind uses SIGRTMAX.
    /// </summary>
    public const int Number = Signals.SIGRTMAX - 3;

    /// <summary>The set of this one signal.</summary>
    public const ulong Set = 1UL << (Number - 1);
}
