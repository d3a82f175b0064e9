using System.Runtime.InteropServices;

namespace Hyperlight.Linux.Interop;

/// <summary>asm/signal.h: the kernel's own signal sets are 64 bits, whatever the C library's type holds.</summary>
internal static class Signals
{
    public const int SIG_BLOCK = 0;
    public const int SIGRTMAX = 64;

    /// <summary>Bytes of a signal set.</summary>
    public const int SetSize = sizeof(ulong);
}

/// <summary>linux/time_types.h: struct __kernel_timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}
