using System.Runtime.InteropServices;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// The signal with which Linux ends a process that makes a file larger than it may (<c>RLIMIT_FSIZE</c>). Sizes are checked before, but
/// programs that append to one file at the same time can exceed the limit together.
/// </summary>
internal static class FileSizeSignal
{
    private const PosixSignal Signal = (PosixSignal)25; // SIGXFSZ

    private static readonly Lazy<PosixSignalRegistration> Registration =
        new(static () => PosixSignalRegistration.Create(Signal, static context => context.Cancel = true));

    /// <summary>From now on, the write fails and the process goes on.</summary>
    public static void Ignore() => _ = Registration.Value;
}
